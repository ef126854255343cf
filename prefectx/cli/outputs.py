"""`prefectx ls`, `status`, `show`, `rm`, `accept` and `verify`: what the records know."""

from __future__ import annotations

import contextlib
import csv
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

from cyclopts import Parameter

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import (
    AsJson,
    asks,
    errors,
    in_age,
    in_bytes,
    output,
    print_json,
    print_json_stream,
    print_rows,
    print_stream,
)
from prefectx.cli.preview import preview
from prefectx.errors import PrefectxError
from prefectx.inspection.acceptance import Acceptance, accept_all, acceptance_of
from prefectx.inspection.flows import FlowName
from prefectx.inspection.output import Output
from prefectx.inspection.outputs import Outputs, chosen
from prefectx.inspection.project import Project
from prefectx.inspection.removal import remove, with_downstream
from prefectx.inspection.verification import verify as verified
from prefectx.monitoring.words import in_words
from prefectx.records import Kind

Flag = Parameter(negative="")
Where = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--where", "-w"], negative="", n_tokens=1, consume_multiple=False,
        help="A field of the target and its value, such as year=2023 or path.stem=a.",
    ),
]  # fmt: skip
Orphan = Annotated[
    str | None,
    Parameter(help="A flow: only outputs that a complete plan of it does not make any more."),
]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Do not ask.")]
DryRun = Annotated[bool, Parameter(negative="", help="Only show what would be done.")]


def ls(
    task: str | None = None,
    /,
    *,
    where: Where = (),
    stale: Annotated[bool, Flag] = False,
    failed: Annotated[bool, Flag] = False,
    missing: Annotated[bool, Flag] = False,
    orphan: Orphan = None,
    csv: Annotated[bool, Flag] = False,
    output: Annotated[Path | None, Parameter(name="--output")] = None,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """List outputs: location, task, state, size, age, and how long they took.

    Examples:
        prefectx ls clean --where year=2023

        prefectx ls --stale --csv

    Parameters:
        task: only outputs of this task, or at a location or pattern (working/clean/*).
        where: a field of the target and its value.
        stale: only those that are stale or edited.
        failed: only calls that failed the last time.
        missing: only those that are not there any more.
        orphan: a flow; only outputs that a complete plan of it does not make any more.
        csv: print CSV.
        output: write the table to a file: .csv, .json or .parquet.
    """
    choices.apply()
    project = Project()
    if failed:
        return _list_failures(project, task, json=json)
    found = _found(project, task, where, stale=stale, missing=missing, orphan=orphan)
    if output is not None:
        return _write_table(list(found), output)
    if json:
        print_json_stream(each.to_dict() for each in found)
        return 0
    if csv:
        _print_csv(found, sys.stdout)
        return 0
    count = print_stream(
        ("location", "task", "state", "size", "age", "took", "arguments"), map(_row, found)
    )
    if not count:
        errors().print("No outputs.")
    return 0


def _row(each: Output) -> tuple[str, ...]:
    given = ", ".join(f"{name}={value}" for name, value in each.arguments.items())
    return (
        each.location, each.task, each.status, in_bytes(each.size), in_age(each.saved),
        in_words(each.seconds), given if len(given) <= 80 else f"{given[:79]}…",
    )  # fmt: skip


def _print_csv(found: Iterable[Output], stream: Any) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("location", "task", "status", "size", "saved", "seconds", "arguments"))
    for each in found:
        row = each.to_dict()
        given = ", ".join(f"{name}={value}" for name, value in row["arguments"].items())
        writer.writerow((*(row[name] for name in _CSV), given))


_CSV = ("location", "task", "status", "size", "saved", "seconds")


def _write_table(found: list[Output], path: Path) -> int:
    suffix = path.suffix.casefold()
    if suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            _print_csv(found, stream)
    elif suffix == ".json":
        with path.open("w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
            print_json_stream(each.to_dict() for each in found)
    elif suffix == ".parquet":
        Outputs(found).to_pandas().astype({"saved": str}).to_parquet(path)
    else:
        raise PrefectxError(f"{path}: the suffix must be .csv, .json or .parquet")
    errors().print(f"{len(found):,} outputs written to {path}.")
    return 0


def _list_failures(project: Project, task: str | None, *, json: bool) -> int:
    failures = [failure for failure, _ in project.failures(task)]
    if json:
        print_json([failure._asdict() for failure in failures])
        return 0
    rows = ((f.failed or "-", f.task, f.error.splitlines()[0]) for f in failures)
    if not print_stream(("location", "task", "error"), rows):
        errors().print("No call failed the last time.")
    return 0


def _found(
    project: Project,
    task: str | None,
    where: Iterable[str],
    *,
    stale: bool = False,
    missing: bool = False,
    orphan: str | None = None,
) -> Iterator[Output]:
    """Yield the outputs that options ask for.

    Raises:
        NoOutputError: a task or location was named of which nothing is known.
    """
    fields = {}
    for text in where:
        name, equals, value = text.partition("=")
        if not equals:
            raise PrefectxError(f"--where {text}: write it as field=value")
        fields[name.strip()] = value
    planned = None if orphan is None else _planned(orphan)
    if task is None:
        yield from chosen(project, where=fields, stale=stale, missing=missing, keep=planned)
        return
    for each in project.named(task):
        if (
            each.matches(fields)
            and not (stale and each.stale is None)
            and not (missing and each.exists)
            and not (planned is not None and each.location in planned)
        ):
            yield each


def _planned(flow: str) -> set[str]:
    from prefectx import settings
    from prefectx.plans import plan

    with contextlib.redirect_stdout(sys.stderr), settings.override(mode="cache"):
        loaded = FlowName(flow).load()
    with contextlib.redirect_stdout(sys.stderr):
        found = plan(loaded)
    if not found.complete:
        raise PrefectxError(
            f"which outputs {flow} does not make any more is not certain, as its plan ends early:"
            f" {found.ended}"
        )
    return {call.location for call in found.calls if call.location is not None}


def status(*, json: AsJson = False, choices: Choices = NONE) -> int:
    """Show for each task its outputs: how many, how large, finished, stale and why, failed, times.

    Examples:
        prefectx status

        prefectx status --json
    """
    choices.apply()
    project = Project()
    found: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    causes: dict[str, Counter[str]] = defaultdict(Counter)
    for each in project.all():
        found[each.task].append((each.status, each.size or 0, each.seconds))
        for kind in {cause.kind for cause in each.stale.causes} if each.stale else ():
            causes[each.task][kind] += 1
    failed = Counter(failure.task for failure, _ in project.failures())
    rows: list[dict[str, Any]] = []
    for task in sorted(found.keys() | failed.keys()):
        states = Counter(state for state, _, _ in found[task])
        seconds = [took for _, _, took in found[task]]
        rows.append({
            "task": task,
            "outputs": len(found[task]) - states["missing"],
            "size": sum(size for state, size, _ in found[task] if state != "missing"),
            "finished": states["finished"],
            "stale": dict(causes[task]),
            "missing": states["missing"],
            "failed": failed[task],
            "seconds": round(sum(seconds), 3),
            "median": round(statistics.median(seconds), 4) if seconds else None,
        })  # fmt: skip
    if json:
        print_json(rows)
        return 0
    if not rows:
        errors().print(f"No records are in {project.root}: nothing was made there yet.")
        return 0
    print_rows(
        ("task", "outputs", "size", "finished", "stale", "missing", "failed", "took", "median"),
        (_status_row(row) for row in rows),
    )
    for module, problem in project.tasks.problems.items():
        errors().print(f"{module}: {problem}; whether its code changed is not known.", markup=False)
    return 0


def _status_row(row: dict[str, Any]) -> tuple[str, ...]:
    stale = ", ".join(f"{count:,} {kind}" for kind, count in row["stale"].items())
    median = "" if row["median"] is None else in_words(row["median"])
    numbers = (f"{row[key]:,}" for key in ("missing", "failed"))
    return (
        row["task"], f"{row['outputs']:,}", in_bytes(row["size"]), f"{row['finished']:,}", stale,
        *numbers, in_words(row["seconds"]), median,
    )  # fmt: skip


def show(location: str, /, *, json: AsJson = False, choices: Choices = NONE) -> int:
    """Show an output: its record, what it was made from and for, and a preview.

    Examples:
        prefectx show working/report.csv

        prefectx show working/report.csv --json

    Parameters:
        location: the output.
    """
    choices.apply()
    project = Project()
    found = project.named(location)[0]
    users = [each.location for each in project.all() if found.record.location in each.inputs]
    if json:
        print_json({**found.to_dict(), "used_by": users})
        return 0
    run_ = found.records.run(found.record.run)
    facts = {
        "state": found.status,
        "task": f"{found.task} ({found.record.function})",
        "arguments": ", ".join(f"{name}={value}" for name, value in found.arguments.items()),
        "made": f"{found.saved.astimezone():%Y-%m-%d %H:%M:%S}, in {in_words(found.seconds)}",
        "by": ", ".join(
            f"{name} {run_[name]}" for name in ("host", "python", "prefectx") if name in run_
        ),
        "size": in_bytes(found.size),
        "version": found.record.version or "",
        "files": ", ".join(found.record.files),
    }
    print(found.location)
    for name, text in facts.items():
        if text:
            print(f"  {name:10} {text}")
    for each in () if found.stale is None else found.stale.causes:
        print(f"  {'stale':10} {each.text}")
    _print_tree("made from", found, project, lambda each: _sources(each, project))
    _print_tree("used by", found, project, lambda each: _consumers(each, project))
    if found.exists:
        print()
        for line in preview(found.item):
            print(line)
    return 0


_DEEP, _WIDE = 4, 8


def _print_tree(title: str, root: Output, project: Project, children: Any) -> None:
    seen: set[str] = set()

    def lines(each: Output, depth: int) -> Iterator[str]:
        below = list(children(each))
        for child in below[:_WIDE]:
            again = " (see above)" if child.location in seen else ""
            yield f"    {'  ' * depth}{child.location}  ({child.task}){again}"
            if not again and depth < _DEEP:
                seen.add(child.location)
                yield from lines(child, depth + 1)
        if len(below) > _WIDE:
            yield f"    {'  ' * depth}and {len(below) - _WIDE:,} more"

    found = list(lines(root, 0))
    if found:
        print(f"  {title}")
        print("\n".join(found))


def _sources(each: Output, project: Project) -> list[Output]:
    found = []
    for place in each.inputs:
        item = project.item_of(place, each.records.folder)
        found += project.at(item.location)[:1]
    return found


def _consumers(each: Output, project: Project) -> list[Output]:
    return project.consumers().get(each.record.location, [])


def rm(
    task: str | None = None,
    /,
    *,
    where: Where = (),
    stale: Annotated[bool, Flag] = False,
    orphan: Orphan = None,
    downstream: Annotated[bool, Flag] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Delete outputs with their records; shows them and asks first.

    Examples:
        prefectx rm clean --where year=2023 --downstream

        prefectx rm --stale --dry-run

    Parameters:
        task: a task, a location, or a pattern.
        where: a field of the target and its value.
        stale: only those that are stale or edited.
        orphan: a flow; only outputs that a complete plan of it does not make any more.
        downstream: also all that was made from them.
        yes: do not ask.
        dry_run: only show them.
    """
    choices.apply()
    project = Project()
    if task is None and not (where or stale or orphan):
        raise PrefectxError("say what to delete: a task, a location, --where, --stale or --orphan")
    found = list(_found(project, task, where, stale=stale, orphan=orphan))
    if downstream:
        found = with_downstream(project, found)
    if json:
        print_json([each.location for each in found])
    elif not found:
        errors().print("No outputs.")
    else:
        print_stream(("location", "task", "size", "age"), map(_short_row, found))
    if not found or dry_run:
        return 0
    size = in_bytes(sum(each.size or 0 for each in found if each.exists))
    if not asks(f"Delete {_outputs(len(found))} ({size})?", yes):
        return 1
    for each in found:
        remove(each)
    errors().print(f"{_outputs(len(found))} deleted ({size}).")
    return 0


def _short_row(each: Output) -> tuple[str, ...]:
    return each.location, each.task, in_bytes(each.size), in_age(each.saved)


def _outputs(count: int) -> str:
    return f"{count:,} output{'s' if count != 1 else ''}"


def accept(
    task: str | None = None,
    /,
    *,
    cause: tuple[Kind, ...] = (),
    yes: Yes = False,
    dry_run: DryRun = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Count stale outputs as current, without a run; shows them and asks first.

    Accepted changes of code are written to prefectx.accepted.toml beside the configuration: commit
    it, and they hold for everybody.

    Examples:
        prefectx accept clean --cause code

        prefectx accept working/report.csv

    Parameters:
        task: a task, a location, or a pattern; by default all.
        cause: only this cause: arguments, inputs, files, code, packages or edited.
        yes: do not ask.
        dry_run: only show them.
    """
    choices.apply()
    project = Project()
    wrong = set(cause) - set(get_args(Kind))
    if wrong:
        raise PrefectxError(f"--cause {', '.join(wrong)}: one of {', '.join(get_args(Kind))}")
    found: list[Acceptance] = [
        each for out in _found(project, task, (), stale=True) if (each := acceptance_of(out, cause))
    ]
    if json:
        print_json([{"location": each.output.location, "causes": each.causes} for each in found])
    elif not found:
        errors().print("Nothing is stale.")
    else:
        print_stream(
            ("location", "task", "accepted", "still stale"),
            (
                (e.output.location, e.output.task, ", ".join(e.causes), ", ".join(e.left))
                for e in found
            ),
        )
        for line in _reasons(found):
            print(line)
    if not found or dry_run:
        return 0
    if not asks(f"Count {_outputs(len(found))} as current?", yes):
        return 1
    path = accept_all(found)
    errors().print(f"{_outputs(len(found))} accepted.")
    if path is not None:
        errors().print(f"Commit {path}, so that the changes of code are accepted everywhere.")
    return 0


def _reasons(found: list[Acceptance]) -> Iterator[str]:
    counts = Counter(
        cause.text
        for each in found
        for cause in (each.output.stale.causes if each.output.stale else ())
        if cause.kind in each.causes
    )
    for text, count in counts.most_common(10):
        yield f"  {text}" + (f" ({count:,} times)" if count > 1 else "")


def verify(task: str | None = None, /, *, json: AsJson = False, choices: Choices = NONE) -> int:
    """Read outputs and compare them with their records; the exit code is 1 if any differs.

    Examples:
        prefectx verify

        prefectx verify clean --json

    Parameters:
        task: a task, a location, or a pattern; by default all.
    """
    choices.apply()
    counts: Counter[str] = Counter()
    wrong: list[dict[str, str]] = []
    for each in _found(Project(), task, ()):
        found = verified(each)
        counts[found.finding] += 1
        if found.finding in ("missing", "edited", "damaged"):
            wrong.append({
                "location": each.location, "task": each.task,
                "finding": found.finding, "reason": found.reason,
            })  # fmt: skip
    if json:
        print_json({"counts": dict(counts), "wrong": wrong})
    else:
        print_stream(
            ("location", "task", "finding", "reason"), (tuple(each.values()) for each in wrong)
        )
        said = ", ".join(f"{count:,} {finding}" for finding, count in counts.most_common())
        output().print(f"{_outputs(counts.total())}: {said or 'none'}.")
    return int(bool(wrong))

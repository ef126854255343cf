"""`prefectx ls`: outputs as a table."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import (
    AsJson,
    errors,
    in_age,
    in_bytes,
    print_json,
    print_json_stream,
    print_stream,
)
from prefectx.cli.selecting import Flag, Orphan, Where, found_outputs
from prefectx.inspection.errors import UsageError
from prefectx.inspection.output import Output
from prefectx.inspection.outputs import Outputs
from prefectx.inspection.project import Project
from prefectx.monitoring.words import in_words


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

    For example:

    `prefectx ls clean --where year=2023`

    `prefectx ls --stale --csv`

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
    found = found_outputs(project, task, where, stale=stale, missing=missing, orphan=orphan)
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
        raise UsageError(f"{path}: the suffix must be .csv, .json or .parquet")
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

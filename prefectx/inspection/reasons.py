"""Why an output is as it is: what it was made from, and what has changed since.

In one file, as each kind of cause is explained from the same record.
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from prefectx.calls import ResolvedTask
from prefectx.inspection.output import Output, readable
from prefectx.inspection.project import Project
from prefectx.inspection.staleness import lineage_of
from prefectx.item import Item
from prefectx.records import Cause, Recipe, Record, changes_of_inputs, changes_of_recipe
from prefectx.versions import file_state

_LINES = 20
_RAN_BECAUSE = "  It ran the last time because:"
_RAN_UNCHANGED = (
    "  It ran the last time though nothing had changed: the output was missing, or refresh was set"
)


class Difference(NamedTuple):
    """One thing that an output was made from and that has changed.

    Attributes:
        kind: the cause, as the option `stale` names it.
        text: what happened, in words.
        before: what it was, if that is known.
        now: what it is.
        diff: for code the lines that changed, as a unified diff.
        way: for code of another function, how the task refers to it: task, helper, helper.
    """

    kind: str
    text: str
    before: str = ""
    now: str = ""
    diff: str = ""
    way: Sequence[str] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an output was made, is kept, or would be made anew.

    Attributes:
        location: the output, relative to the root if it lies there.
        task: the name of its task.
        status: finished, stale, edited or missing.
        verdict: what the next call does, in a sentence.
        made: when and where it was made.
        differences: what has changed since.
        last: what had changed when it was made the last time; None if it was the first time.
    """

    location: str
    task: str
    status: str
    verdict: str
    made: str
    differences: list[Difference] = field(default_factory=list)
    last: list[Difference] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data."""
        return {
            "location": self.location,
            "task": self.task,
            "status": self.status,
            "verdict": self.verdict,
            "made": self.made,
            "differences": [each._asdict() for each in self.differences],
            "last": None if self.last is None else [each._asdict() for each in self.last],
        }

    def __str__(self) -> str:
        """Return the explanation as text."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield the lines of the explanation; those of differences begin with +, - and @."""
        yield f"{self.location}: {self.verdict}"
        yield f"  {self.made}"
        for each in self.differences:
            yield f"  {each.kind}: {each.text}"
            yield from _details(each)
        if self.last is not None:
            yield _RAN_BECAUSE if self.last else _RAN_UNCHANGED
            for each in self.last:
                yield f"    {each.kind}: {each.text}"
                yield from _details(each)

    def _repr_html_(self) -> str:
        colours = {"+": "green", "-": "firebrick", "@": "teal"}
        lines = (
            f'<span style="color:{colours[line[:1]]}">{html.escape(line)}</span>'
            if line[:1] in colours
            else html.escape(line)
            for line in self.lines()
        )
        return "<pre>" + "\n".join(lines) + "</pre>"


def _details(each: Difference) -> Iterator[str]:
    if each.way:
        yield f"    by way of {' -> '.join(each.way)}"
    if each.before or each.now:
        yield f"    before: {each.before}"
        yield f"    now:    {each.now}"
    yield from each.diff.splitlines()


def why(output: str | Item[object]) -> Explanation:
    """Tell why an output was made, is kept, or would be made anew.

    Parameters:
        output: an item, or a location as people have it at hand.

    Raises:
        NoOutputError: nothing is known of it.
    """
    project = Project()
    text = output.location if isinstance(output, Item) else str(output)
    return explain(project.named(text)[0])


def explain(output: Output) -> Explanation:
    """Return why an output is as it is."""
    return Explanation(
        output.location, output.task, output.status, _verdict(output), _made(output),
        list(differences(output)), _last(output),
    )  # fmt: skip


def differences(output: Output) -> Iterator[Difference]:
    """Yield what has changed since an output was made."""
    if output.stale is None:
        return
    task = output.project.tasks.of(output.record)
    for cause in output.stale.causes:
        yield _difference(cause, output, task)


def _verdict(output: Output) -> str:
    if not output.exists:
        return _missing(output) if output.is_lazy else "is not there: the next call makes it"
    if output.stale is None:
        return "is what a call would make now: it is kept"
    if output.stale.reaction == "warn":
        return 'is stale, and kept: stale = "warn"'
    if output.stale.reaction == "error":
        return "is stale: the next call is an error"
    return "is stale: the next call makes it anew"


def _missing(output: Output) -> str:
    gone = "was deleted after use" if output.record.temporary else "is lazy and not there"
    consumers = output.project.consumers().get(output.record.location, [])
    if not consumers:
        return f"{gone}: it is made when something needs it"
    more = f" and {len(consumers) - 1:,} more" if len(consumers) > 1 else ""
    return f"{gone}: it would be made for {consumers[0].location}{more}, if that has to run"


def _made(output: Output) -> str:
    record = output.record
    run = output.records.run(record.run)
    where = f" on {run['host']}, Python {run['python']}" if run else ""
    given = ", ".join(f"{name}={value}" for name, value in output.arguments.items())
    when = output.saved.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    took = f"in {record.seconds:.2f} s, run {record.run}"
    return f"made by {record.task}({given}) at {when}{where}, {took}"


def _difference(cause: Cause, output: Output, task: ResolvedTask | None) -> Difference:
    record, name = output.record, cause.subject
    plain = Difference(cause.kind, cause.text)
    if cause.kind == "code" and task is not None and task.lineages is not None:
        code = task.lineages.code
        then = output.records.symbols(record.code)
        now = {**code.symbols, "": code.own}
        if name in then or name in now:
            sources = output.records.sources()
            label = name or record.function
            diff = _diff(
                sources.get(then.get(name) or "", ""), code.sources.get(now.get(name) or "", ""),
                label,
            )  # fmt: skip
            return plain._replace(diff=diff, way=_way(name, code.referrers, record.function))
    if cause.kind in ("arguments", "code") and name in record.arguments:
        here = lineage_of(output, task).arguments.get(name)
        return plain._replace(before=readable(record.arguments[name]), now=readable(here))
    if cause.kind == "files" and name in record.files:
        path = lineage_of(output, task).files[name]
        limit = lineage_of(output, task).origin.limit
        return plain._replace(
            before=_of_file(record.files[name]),
            now=_of_file(file_state(path, limit)),
            diff=_diff_of_file(name, path, output),
        )
    if cause.kind == "inputs":
        return plain._replace(now=_of_input(name, output))
    if cause.kind == "edited":
        before, state = (record.size, record.mtime), output.state
        return plain._replace(before=_of_file(before), now=_of_file(state))
    return plain


def _diff(before: str, now: str, label: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), f"{label} (then)", f"{label} (now)", lineterm=""
    )
    return "\n".join(lines)


def _diff_of_file(name: str, path: str, output: Output) -> str:
    """Return the first lines of a small text file that differ; empty if the old text is unknown."""
    state = output.record.files[name]
    then = output.records.kept.text(None if state is None else state[2])
    try:
        now = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    if then is None:
        return ""
    lines = _diff(then, now, name).splitlines()
    left = len(lines) - _LINES
    return "\n".join([*lines[:_LINES], *([f"  and {left:,} more lines"] if left > 0 else [])])


def _way(name: str, referrers: Mapping[str, str], function: str) -> list[str]:
    """Return how the task's function leads to a symbol; empty for the function itself."""
    found: list[str] = []
    while name and name in referrers and name not in found:
        found.append(name)
        name = referrers[name]
    return [function.replace(":", "."), *reversed(found)] if found else []


def _of_file(state: Sequence[Any] | None) -> str:
    if state is None or state[0] is None:
        return "not there"
    when = "" if state[1] is None else f", {_time(state[1] / 1e9)}"
    return f"{state[0]:,} bytes{when}"


def _of_input(name: str, output: Output) -> str:
    folder = output.records.folder
    item = output.project.item_of(name, folder)
    found = output.records.find(item)
    if not found:
        return ""
    run = f", run {found[0].run}" if found[0].run else ""
    return f"{name} was made by {found[0].task} at {_time(found[0].made)}{run}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _last(output: Output) -> list[Difference] | None:
    """Return what had changed when an output was made the last time, None if it was the first."""
    recorded = output.records.find(output.item)
    made = [each for each in recorded if each.made != output.record.made]
    # A touch, a copy and an acceptance are recorded once more, and are no runs.
    here = output.record.version, output.record.seconds
    earlier = next((each for each in made if (each.version, each.seconds) != here), None)
    if earlier is None:
        return None
    return list(_between(earlier, output.record, output))


def _between(then: Record, now: Record, output: Output) -> Iterator[Difference]:
    records = output.records
    symbols = records.symbols(now.code)
    recipe = Recipe(
        now.task, now.function, now.arguments, now.defaults, now.code, symbols.get(""),
        {name: made for name, made in symbols.items() if name},
    )  # fmt: skip
    before = records.symbols(then.code)
    causes = [
        *changes_of_recipe(then, recipe, before, is_other_function=False, accepted={}),
        *changes_of_inputs(then.inputs, now.inputs),
    ]
    sources = records.sources() if any(cause.kind == "code" for cause in causes) else {}
    for cause in causes:
        name = cause.subject
        diff = ""
        if cause.kind == "code" and (name in before or name in symbols):
            diff = _diff(
                sources.get(before.get(name) or "", ""), sources.get(symbols.get(name) or "", ""),
                name or now.function,
            )  # fmt: skip
        yield Difference(cause.kind, cause.text, diff=diff)
    for name, state in now.files.items():
        old = then.files.get(name)
        if old is not None and state is not None and old[2] != state[2]:
            text = f"the file {name} changed"
            yield Difference("files", text, _of_file(old), _of_file(state))

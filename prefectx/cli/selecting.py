"""Which outputs a command is about: by task, location, field or state."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

from cyclopts import Parameter

from prefectx import settings
from prefectx.errors import PrefectxError
from prefectx.inspection.errors import UsageError
from prefectx.inspection.flows import FlowName
from prefectx.inspection.output import OWN_FIELDS, Output
from prefectx.inspection.project import Project
from prefectx.plans import plan
from prefectx.settings import did_you_mean
from prefectx.tasks.flow import Flow

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


def found_outputs(
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
            raise UsageError(f"--where {text}: write it as field=value")
        fields[name.strip()] = value
    is_orphan = None if orphan is None else _orphans(orphan)
    known: set[str] = set()
    count = 0
    for each in project.all() if task is None else project.named(task):
        known |= each.arguments.keys()
        if each.matches(fields) and (is_orphan is None or is_orphan(each)):
            count += 1
            if not (missing and each.exists) and not (stale and each.stale is None):
                yield each
    unknown = [name for name in fields if name.partition(".")[0] not in {*known, *OWN_FIELDS}]
    if unknown and not count and known:
        raise UsageError(
            f"--where {unknown[0]}: no output has this field{did_you_mean(unknown[0], known)};"
            f" there are {', '.join(sorted({*known, *OWN_FIELDS}))}"
        )


def _orphans(flow: str) -> Callable[[Output], bool]:
    """Return what tells whether an output is one that a flow does not make any more.

    Those of tasks that the flow does not call and that are not defined in its file belong to
    other flows.
    """
    with contextlib.redirect_stdout(sys.stderr), settings.override(mode="cache"):
        loaded = FlowName(flow).load()
    with contextlib.redirect_stdout(sys.stderr):
        found = plan(loaded)
    if not found.complete:
        raise PrefectxError(
            f"which outputs {flow} does not make any more is not certain, as its plan ends early:"
            f" {found.ended}"
        )
    made = {call.location for call in found.calls}
    tasks = {call.task for call in found.calls}
    module = sys.modules.get(loaded.fn.__module__)
    flows = [value for value in vars(module).values() if isinstance(value, Flow)] if module else []
    begin = f"{loaded.fn.__module__}:"

    def is_orphan(output: Output) -> bool:
        is_ours = output.task in tasks
        is_ours = is_ours or (len(flows) == 1 and output.record.function.startswith(begin))
        return is_ours and output.location not in made

    return is_orphan


def in_number(count: int) -> str:
    """Return a number of outputs in words."""
    return f"{count:,} output{'s' if count != 1 else ''}"

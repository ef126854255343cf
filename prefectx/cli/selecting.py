"""Which outputs a command is about: by task, location, field or state."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

from cyclopts import Parameter

from prefectx import settings
from prefectx.errors import PrefectxError
from prefectx.inspection.errors import UsageError
from prefectx.inspection.flows import FlowName
from prefectx.inspection.output import Output
from prefectx.inspection.outputs import chosen
from prefectx.inspection.project import Project
from prefectx.plans import plan

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


def in_number(count: int) -> str:
    """Return a number of outputs in words."""
    return f"{count:,} output{'s' if count != 1 else ''}"

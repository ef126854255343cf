"""`prefectx accept`: what is stale counts as current, without a run."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from prefectx import settings
from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, asks, errors, print_json, print_stream
from prefectx.cli.selecting import DryRun, Yes, found_outputs, in_number
from prefectx.inspection.acceptance import Acceptance, accept_all, acceptance_of
from prefectx.inspection.flows import FlowName
from prefectx.inspection.project import Project
from prefectx.inspection.unrecorded import unrecorded_of
from prefectx.records import Kind

_UNRECORDED = "A flow: give those of its outputs a record that have none, as from before records."


def accept(
    task: str | None = None,
    /,
    *,
    cause: tuple[Kind, ...] = (),
    unrecorded: Annotated[str | None, Parameter(help=_UNRECORDED)] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Count stale outputs as current, without a run; shows them and asks first.

    Accepted changes of code are written to prefectx.accepted.toml beside the configuration: commit
    it, and they hold for everybody.

    For example:

    `prefectx accept clean --cause code`

    `prefectx accept working/report.csv`

    Parameters:
        task: a task, a location, or a pattern; by default all.
        unrecorded: a flow.
        cause: only this cause: arguments, inputs, files, code, packages or edited.
        yes: do not ask.
        dry_run: only show them.
    """
    choices.apply()
    if unrecorded is not None:
        return _accept_unrecorded(unrecorded, yes=yes, dry_run=dry_run, json=json)
    project = Project()
    found: list[Acceptance] = [
        each
        for out in found_outputs(project, task, (), stale=True)
        if (each := acceptance_of(out, cause))
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
    if not asks(f"Count {in_number(len(found))} as current?", yes):
        return 1
    path = accept_all(found)
    errors().print(f"{in_number(len(found))} accepted.")
    if path is not None:
        errors().print(f"Commit {path}, so that the changes of code are accepted everywhere.")
    return 0


def _accept_unrecorded(flow: str, *, yes: bool, dry_run: bool, json: bool) -> int:
    with contextlib.redirect_stdout(sys.stderr), settings.override(mode="cache"):
        loaded = FlowName(flow).load()
    with contextlib.redirect_stdout(sys.stderr):
        plan, found = unrecorded_of(loaded, {})
    shown = Project().shown
    if json:
        print_json([shown(each.item.location) for each in found])
    else:
        print_stream(
            ("location", "task"), ((shown(e.item.location), e.call.task.name) for e in found)
        )
    if plan.ended:
        errors().print(f"The plan of the flow ends early: {plan.ended}.", markup=False)
    if not found:
        errors().print("No output of this flow is without a record.")
    if not found or dry_run:
        return 0
    if not asks(f"Take {in_number(len(found))} for what the flow would make now?", yes):
        return 1
    for each in found:
        each.record()
    errors().print(f"{in_number(len(found))} recorded.")
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

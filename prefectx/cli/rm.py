"""`prefectx rm`: deletes outputs with their records."""

from __future__ import annotations

from typing import Annotated

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.output import AsJson, asks, errors, in_age, in_bytes, print_json, print_stream
from prefectx.cli.selecting import DryRun, Flag, Orphan, Where, Yes, found_outputs, in_number
from prefectx.inspection.errors import UsageError
from prefectx.inspection.output import Output
from prefectx.inspection.project import Project
from prefectx.inspection.removal import remove, with_downstream


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

    For example:

    `prefectx rm clean --where year=2023 --downstream`

    `prefectx rm --stale --dry-run`

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
        raise UsageError("say what to delete: a task, a location, --where, --stale or --orphan")
    found = list(found_outputs(project, task, where, stale=stale, orphan=orphan))
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
    if not asks(f"Delete {in_number(len(found))} ({size})?", yes):
        return 1
    for each in found:
        remove(each)
    errors().print(f"{in_number(len(found))} deleted ({size}).")
    return 0


def _short_row(each: Output) -> tuple[str, ...]:
    return each.location, each.task, in_bytes(each.size), in_age(each.saved)

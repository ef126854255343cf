"""`prefectx replay`: runs one recorded call again in this process, writing nothing."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from prefectx.cli.choices import NONE, Choices
from prefectx.cli.debugging import post_mortem
from prefectx.cli.flows import show_traceback
from prefectx.cli.output import errors
from prefectx.errors import PrefectxError
from prefectx.inspection.errors import UsageError
from prefectx.inspection.project import Project
from prefectx.inspection.replay import failed_call, replay_of


def replay(
    location: str | None = None,
    /,
    *,
    failed: Annotated[bool, Parameter(negative="")] = False,
    pdb: Annotated[bool, Parameter(negative="")] = False,
    choices: Choices = NONE,
) -> int:
    """Run one recorded call again in this process, without an engine; nothing is written.

    The exit code is 1 if it fails. Failed calls keep their arguments for this.

    For example:

    `prefectx replay --failed --pdb`

    `prefectx replay working/clean/a.parquet`

    Parameters:
        location: the output of the call, or a task: its latest failed call.
        failed: the latest call that failed.
        pdb: start a debugger where it fails.
    """
    choices.apply()
    project = Project()
    if location is not None:
        call = replay_of(project, location)
    elif failed:
        failures = project.failures()
        if not failures:
            raise PrefectxError("no call failed the last time")
        call = failed_call(project, *failures[0])
    else:
        raise UsageError("say which call: a location, a task, or --failed")
    errors().print(f"Replaying {call.task.name} ({call.location or 'no output'}).", markup=False)
    try:
        result = call.run()
    except Exception as error:
        if pdb:
            post_mortem(error)
        else:
            show_traceback(error)
        return 1
    text = repr(result)
    print(text if len(text) <= 2000 else f"{text[:2000]}…")
    return 0

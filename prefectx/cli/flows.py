"""`prefectx run` and `prefectx plan`: a flow, run or only told what it would do."""

from __future__ import annotations

import asyncio
import contextlib
import json as jsons
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from prefectx import settings
from prefectx.arguments.signature import Signature
from prefectx.cli.audit import auditing
from prefectx.cli.choices import NONE, Choices
from prefectx.cli.debugging import debugging
from prefectx.cli.output import AsJson, asks, errors, output, print_json, print_rows, print_stream
from prefectx.cli.selection import NotSelectedError, only
from prefectx.inspection.errors import UsageError
from prefectx.inspection.flows import FlowName
from prefectx.plans import Plan
from prefectx.plans import plan as make_plan
from prefectx.tasks.flow import Flow

Params = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--param", "-p"], negative="", n_tokens=1, consume_multiple=False,
        help="A parameter of the flow, such as year=2024; the value is JSON, else text.",
    ),
]  # fmt: skip
Flag = Parameter(negative="")


def plan(
    flow: str,
    /,
    *,
    param: Params = (),
    check: Annotated[bool, Flag] = False,
    graph: Annotated[bool, Flag] = False,
    calls: Annotated[bool, Flag] = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Tell what a run of a flow would do; no task is executed and nothing is written.

    For example:

    `prefectx plan pipeline.py --param year=2024`

    `prefectx plan pipeline.py:nightly --check`

    Parameters:
        flow: FILE.py, FILE.py:flow or package.module:flow.
        param: a parameter of the flow.
        check: exit with 1 if anything would run, for CI.
        graph: print the tasks and their data flow as a Mermaid diagram.
        calls: list every call.
    """
    named = FlowName(flow)
    choices.apply(named.folder)
    with contextlib.redirect_stdout(sys.stderr):  # what the flow's own code prints
        found = _planned(named, param)
    if json:
        print_json(found.to_dict())
    elif graph:
        print(found.mermaid())
    else:
        show_plan(found, calls=calls)
    return int(check and found.would_run)


def run(
    flow: str,
    /,
    *,
    param: Params = (),
    only_: Annotated[str | None, Parameter(name="--only")] = None,
    pdb: Annotated[bool, Flag] = False,
    ask: Annotated[bool, Flag] = False,
    audit: Annotated[bool, Flag] = False,
    json: AsJson = False,
    choices: Choices = NONE,
) -> int:
    """Run a flow; the exit code is 1 if it, or a call of it, fails.

    For example:

    `prefectx run pipeline.py --param year=2024 -o tasks.clean.refresh=true`

    `prefectx run pipeline.py --ask`

    Parameters:
        flow: FILE.py, FILE.py:flow or package.module:flow.
        param: a parameter of the flow.
        only_: run only calls of this task; unfinished ones of others are cancelled.
        pdb: start a debugger where a call fails; calls run one by one in this process.
        ask: show the plan, and ask before anything runs.
        audit: list the files of the project that tasks read and that do not count for staleness;
            calls run in this process, and each opening of a file costs some microseconds.
        json: print the counts of the run as JSON.
    """
    named = FlowName(flow)
    choices.apply(named.folder)
    inline = {"runner": {"type": "inline"}} if pdb or audit else {}
    with contextlib.ExitStack() as stack:
        if inline:
            stack.enter_context(settings.override(**inline))
        loaded = named.load()
        parameters = _parameters(param, loaded)
        if ask and not _agreed(loaded, parameters):
            return 1
        if only_ is not None:
            stack.enter_context(only(only_))
        if audit:
            stack.enter_context(auditing())
        if pdb:
            stack.enter_context(debugging())
        if json:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        is_done = _run(loaded, parameters)
    summary = loaded.last_run
    if json:
        tasks = {} if summary is None else summary.tasks
        print_json({
            "flow": loaded.name,
            "completed": is_done,
            "tasks": {
                name: {"skipped": n.skipped, "ran": n.ran, "failed": n.failed}
                for name, n in tasks.items()
            },
            "failures": [] if summary is None else [each._asdict() for each in summary.failures],
        })  # fmt: skip
    return int(not is_done or bool(summary is not None and summary.failures))


def _run(flow: Flow[..., Any], parameters: dict[str, object]) -> bool:
    try:
        result: Any = flow(**parameters)
        if asyncio.iscoroutine(result):
            asyncio.run(result)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, NotSelectedError):
            cause = cause.__cause__
        if cause is None:
            show_traceback(error)
        else:
            errors().print(f"The flow ends here: {cause}.", markup=False, soft_wrap=True)
        return False
    return True


def show_traceback(error: BaseException) -> None:
    """Print a traceback from the flow's own frame on."""
    trace = error.__traceback__
    while trace is not None and "/prefectx/" in trace.tb_frame.f_code.co_filename and trace.tb_next:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _agreed(flow: Flow[..., Any], parameters: dict[str, object]) -> bool:
    """Show the plan of a flow, and ask whether to run it."""
    with contextlib.redirect_stdout(sys.stderr):
        planned = make_plan(flow, **parameters)
    show_plan(planned)
    return not planned.would_run or asks("Run it?", yes=False)


def _planned(named: FlowName, param: Sequence[str]) -> Plan:
    with settings.override(mode="cache"):  # Prefect is not needed to plan
        loaded = named.load()
    return make_plan(loaded, **_parameters(param, loaded))


def _parameters(given: Sequence[str], flow: Flow[..., Any]) -> dict[str, object]:
    """Return the parameters of a flow as they were given, checked against its signature."""
    found: dict[str, object] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"--param {text}: write it as name=value")
        try:
            found[name.strip()] = jsons.loads(value)
        except ValueError:
            found[name.strip()] = value
    try:
        Signature(flow.fn).bind((), dict(found))
    except TypeError as error:
        raise UsageError(f"flow {flow.name!r}: {error}; set parameters by --param") from None
    return found


def show_plan(plan: Plan, *, calls: bool = False) -> None:
    """Print a plan: a line for each task, the reasons, and how long it would take.

    Parameters:
        plan: the plan.
        calls: list every call.
    """
    counts = plan.counts()
    kinds = ("finished", "stale", "run", "maybe")
    if calls:
        print_stream(
            ("status", "task", "location", "reason"),
            ((c.status, c.task, c.location or "", c.reason) for c in plan.calls),
        )
    elif counts:
        rows = ((task, *(f"{n[kind]:,}" for kind in kinds)) for task, n in counts.items())
        print_rows(("task", "finished", "of these stale", "would run", "may run"), rows)
        for line in plan.reasons():
            output().print(line, markup=False)
    total = sum(n["run"] for n in counts.values())
    possible = sum(n["maybe"] for n in counts.values())
    if plan.ended:
        errors().print(
            f"The plan ends here: {plan.ended}. The {len(plan.calls):,} calls before are certain.",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if total or possible:
        more = f", {possible:,} may" if possible else ""
        output().print(f"{total:,} would run{more}: {plan.forecast}.", markup=False)
    elif plan.complete:
        output().print("Nothing would run.")

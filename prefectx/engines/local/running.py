"""Runs one call in this process, and tells how it ended."""

from __future__ import annotations

import asyncio
import traceback

from prefectx.arguments.references import check_upstream, load, load_items, resolve_futures
from prefectx.arguments.signature import Arguments
from prefectx.calls import Call, Decision, Outcome
from prefectx.engines.local.futures import LocalFuture
from prefectx.engines.protocol import Result, WaitFor
from prefectx.event_loops import outside_loop
from prefectx.futures import LocalState, State, data_of
from prefectx.monitoring.failures import note, trim

_CACHED = LocalState("COMPLETED", "Cached", None)

Inputs = tuple[tuple[object, ...], Arguments]


def is_bare(call: Call) -> bool:
    """Tell whether a call is a plain call of the function, which may return a generator."""
    return call.item is None and not call.mode.keeps


def inputs_of(call: Call, wait_for: WaitFor) -> Inputs:
    """Resolve the futures in a call's arguments; load the items too if it is a bare call.

    Raises:
        UpstreamError: if an input failed, and its failure is not allowed.
    """
    if wait_for is not None:
        check_upstream(wait_for)
    if call.is_plain and call.task.signature.is_simple:
        return tuple(call.arguments.values()), {}
    arguments = resolve_futures(call.arguments)
    if is_bare(call):
        arguments = load_items(arguments)
    return call.task.signature.unbind(arguments)


def run(call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
    """Run a call and return its result: data, or the item of its output."""
    if return_state:
        if call.task.isasync:
            return Result(_state_async(call, wait_for))
        state = run_here(call, wait_for).state
        return Result(state, state)
    args, kwargs = inputs_of(call, wait_for)
    if is_bare(call):
        return Result(load(call.function(*args, **kwargs)))
    return _result(call.run(*args, **kwargs))


async def run_async(
    call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
) -> Result:
    """Run a call of an async task; see `run`."""
    if return_state:
        state = await _state_async(call, wait_for)
        return Result(state, state)
    args, kwargs = inputs_of(call, wait_for)
    return _result(await call.run_async(*args, **kwargs))


def run_here(call: Call, wait_for: WaitFor) -> LocalFuture:
    """Run a call, async or not, in this thread; return its future, which is done."""
    if call.task.isasync:
        return outside_loop(asyncio.run, run_in_loop(call, wait_for))
    try:
        args, kwargs = inputs_of(call, wait_for)
        if not is_bare(call):
            return over(call, call.run(*args, **kwargs))
        data = call.function(*args, **kwargs)
        data = list(data) if call.task.isgenerator else data
        if isinstance(data, State):
            return LocalFuture(load(data_of(data)), returned=data)
        return LocalFuture(load(data))
    except Exception as error:  # as in Prefect, one bad input does not stop the others
        return failed(call, error)


async def run_in_loop(call: Call, wait_for: WaitFor) -> LocalFuture:
    """Run a call of an async task; return its future, which is done."""
    try:
        args, kwargs = inputs_of(call, wait_for)
        return over(call, await call.run_async(*args, **kwargs))
    except Exception as error:  # as in Prefect, one bad input does not stop the others
        return failed(call, error)


def over(call: Call, outcome: Outcome) -> LocalFuture:
    """Return the future of a call that returned."""
    return LocalFuture(
        outcome.value,
        item=call.item,
        skipped=outcome.skipped,
        seconds=outcome.seconds,
        returned=outcome.state,
    )


def failed(call: Call, error: BaseException) -> LocalFuture:
    """Return the future of a call that has no result.

    The variables of its frames are let go: whoever holds the future holds only the traceback.
    """
    note(error, call.task.name, call.arguments, "" if call.item is None else call.item.location)
    traceback.clear_frames(trim(error).__traceback__)
    returned = getattr(error, "returned_state", None)
    return LocalFuture(error, failed=True, item=call.item, returned=returned)


def _result(outcome: Outcome) -> Result:
    return Result(outcome.value, _CACHED if outcome.skipped else None)


async def _state_async(call: Call, wait_for: WaitFor) -> LocalState:
    return (await run_in_loop(call, wait_for)).state

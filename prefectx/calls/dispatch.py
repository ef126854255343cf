"""Dispatch: bind a call's arguments, fill its target, decide, then skip it or hand it on.

`call`, `submit` and `map` differ only in how they hand on to the engine of the call's mode.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextvars import copy_context
from typing import Any

from prefectx.arguments.mapping import map_arguments
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.call import Call
from prefectx.calls.decision import Decision, Run, Skip, decide, look
from prefectx.calls.make_call import make_call
from prefectx.calls.one_at_a_time import RUNS
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.engines.protocol import Engine
from prefectx.engines.registry import ENGINES
from prefectx.futures import Future, State
from prefectx.item import Item
from prefectx.monitoring.hooks import HOOKS, Over, handed_on

Args = tuple[object, ...]
_MISSING = Run("missing")


def call(task: ResolvedTask, args: Args, kwargs: Arguments) -> Any:
    """Make a call and return its result: data, or the item of its output.

    Parameters:
        task: the resolved task.
        args: the arguments of its function.
        kwargs: the same by name, with `return_state` and `wait_for`.
    """
    if task.is_bare and not kwargs and not HOOKS.call_submitted:
        for value in args:  # no function around it: `function` mode costs what the function costs
            if type(value) not in ATOMS:
                break
        else:
            return task.task.fn(*args)
    return_state, wait_for = _take_options(kwargs) if kwargs else (False, None)
    row, location, exists = task.fast_path.find(args, kwargs)
    if exists and location is not None:
        item = Item[Any](task.fast_path.store, location)
    else:
        engine = ENGINES[task.mode.engine]
        made, decision = _made(engine, task, args, kwargs, row, location)
        if not (isinstance(decision, Skip) and task.mode.skips):
            run = _run_async if task.is_awaited else _run
            return run(engine, made, decision, wait_for, return_state)
        item = decision.item
    for skipped in HOOKS.call_skipped:
        skipped(task.task.name)
    result: Any = item
    if return_state:
        result = ENGINES[task.mode.engine].finished(item).state
    return _as_coroutine(result) if task.task.isasync else result


def submit(task: ResolvedTask, args: Args, kwargs: Arguments) -> Any:
    """Submit a call and return its future, which holds its result or its failure.

    Parameters:
        task: the resolved task.
        args: the arguments of its function.
        kwargs: the same by name, with `return_state` and `wait_for`.

    Raises:
        TargetError: if the target cannot be filled or belongs to a different call.
        TypeError: if the arguments do not fit the function.
        RuntimeError: on Prefect outside a flow, as no runner is there.
    """
    return_state, wait_for = _take_options(kwargs) if kwargs else (False, None)
    engine = ENGINES[task.mode.engine]
    row, location, exists = task.fast_path.find(args, kwargs)
    if exists and location is not None:
        future = _skipped(engine, task.task.name, Item(task.fast_path.store, location))
    else:
        made, decision = _made(engine, task, args, kwargs, row, location)
        future = _hand_on(engine, made, decision, wait_for)
    return _state(future) if return_state else future


def map(task: ResolvedTask, args: Args, kwargs: Arguments) -> Any:  # noqa: A001
    """Submit one call for each element of the arguments that can be gone through.

    Parameters:
        task: the resolved task.
        args: iterables of one length, and what is the same for every call.
        kwargs: the same by name, with `return_state`, `wait_for` and `deferred`.

    Raises:
        TargetError: before anything runs, if a target cannot be filled or two calls share one.
    """
    return_state, wait_for = _take_options(kwargs)
    is_deferred = bool(kwargs.pop("deferred", False))
    engine, name, store = ENGINES[task.mode.engine], task.task.name, task.fast_path.store
    rows = list(map_arguments(task.task.signature, args, kwargs, name))
    places, found = task.fast_path.find_many(rows)
    # All calls are made before the first is handed on, so that a wrong one stops them all.
    calls = [
        None if place is None or place in found else _missing(engine, task, row, place)
        for row, place in zip(rows, places, strict=True)
    ]
    batch = {made.item for made in calls if made is not None and made.item is not None}
    unknown = []
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        if place is None:
            arguments = dict(zip(task.callee.names, row, strict=True))
            calls[number] = made = make_call(task, arguments, engine.flow_name, batch)
            unknown.append(made)
    facts = iter(look(unknown))
    decisions = (decide(next(facts)) if place is None else _MISSING for place in places)
    futures = [
        _skipped(engine, name, Item(store, str(place)))
        if made is None
        else _hand_on(engine, made, decision, wait_for, is_deferred=is_deferred)
        for made, place, decision in zip(calls, places, decisions, strict=True)
    ]
    return [_state(future) for future in futures] if return_state else engine.gathered(futures)


def delay(task: ResolvedTask, args: Args, kwargs: Arguments, wait_for: Any = None) -> Any:
    """Leave a call to a worker that serves the task, unless it is finished; return its future."""
    engine = ENGINES[task.mode.engine]
    made, decision = _made(engine, task, args, kwargs, (), None)
    return _hand_on(engine, made, decision, wait_for, is_deferred=True)


def _take_options(kwargs: Arguments) -> tuple[bool, Any]:
    """Take what a call is given besides the function's arguments out of its keywords."""
    return bool(kwargs.pop("return_state", False)), kwargs.pop("wait_for", None)


def _made(
    engine: Engine,
    task: ResolvedTask,
    args: Args,
    kwargs: Arguments,
    row: Args,
    location: str | None,
) -> tuple[Call, Decision]:
    """Make a call and decide; `location` is known if the fast path found the output missing."""
    if location is not None:
        return _missing(engine, task, row, location), _MISSING
    made = make_call(task, task.task.signature.bind(args, kwargs), engine.flow_name)
    return made, decide(look([made])[0])


def _missing(engine: Engine, task: ResolvedTask, row: Args, location: str) -> Call:
    arguments = dict(zip(task.callee.names, row, strict=True))
    item = Item[object](task.fast_path.store, location)
    return Call(task, item, arguments, arguments, engine.flow_name, is_plain=True)


def _hand_on(
    engine: Engine, call: Call, decision: Decision, wait_for: Any, *, is_deferred: bool = False
) -> Future[Any]:
    if isinstance(decision, Skip) and call.mode.skips:
        return _skipped(engine, call.task.name, decision.item)
    if is_deferred:
        return engine.delay(call, wait_for)
    earlier = RUNS.submitted(call.item)
    if earlier is not None:
        if call.mode.skips:
            return earlier
        given = [wait_for] if isinstance(wait_for, Future) else wait_for or ()
        wait_for = [*given, earlier]
    with handed_on(call) as over:
        future = engine.submit(call, decision, wait_for)
        if call.item is not None:
            RUNS.submit(call.item, future)
        if HOOKS.call_over:
            here = copy_context()
            future.add_done_callback(lambda done: here.run(_end, engine, done, over))
    return future


def _end(engine: Engine, future: Future[Any], over: Over) -> None:
    try:
        future.wait()
    except CancelledError:  # the flow has ended without waiting for it
        return
    if future.state.is_final():
        over(future.state, engine.seconds(future.state))


def _skipped(engine: Engine, task: str, item: Item[Any]) -> Future[Any]:
    for skipped in HOOKS.call_skipped:
        skipped(task)
    return engine.finished(item)


def _state(future: Future[Any]) -> State[Any]:
    future.wait()
    return future.state


def _run(engine: Engine, call: Call, decision: Decision, wait_for: Any, return_state: bool) -> Any:
    with handed_on(call) as over:
        result = engine.run(call, decision, wait_for, return_state)
        over(result.state)
    return result.value


async def _run_async(
    engine: Engine, call: Call, decision: Decision, wait_for: Any, return_state: bool
) -> Any:
    with handed_on(call) as over:
        result = await engine.run_async(call, decision, wait_for, return_state)
        over(result.state)
    return result.value


async def _as_coroutine(value: Any) -> Any:
    return value

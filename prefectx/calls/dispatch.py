"""Dispatch: bind a call's arguments, fill its target, decide, then skip it or hand it on."""

from __future__ import annotations

from functools import partial
from typing import Any

from prefectx.arguments.mapping import map_arguments
from prefectx.arguments.references import load
from prefectx.arguments.signature import Arguments, take_call_options
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.call import Call
from prefectx.calls.decision import MISSING, Decision, Skip
from prefectx.calls.lazy import lazy_call, with_inputs
from prefectx.calls.make_call import decide_each, decided
from prefectx.calls.one_at_a_time import RUNS
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.engines.protocol import Engine
from prefectx.engines.registry import ENGINES
from prefectx.futures import Future, final_state, listed
from prefectx.item import Item, Store
from prefectx.monitoring.hooks import HOOKS, handed_on, over_with

Args = tuple[object, ...]


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
            return data if type(data := task.task.fn(*args)) in ATOMS else load(data)
    return_state, wait_for = take_call_options(kwargs) if kwargs else (False, None)
    row, location, exists = task.fast_path.find(args, kwargs)
    if exists and location is not None:
        item: Any = Item(task.fast_path.store, location)
    else:
        engine = ENGINES[task.mode.engine]
        made, decision = _decided(engine, task, args, kwargs, row, location)
        if task.is_lazy and not isinstance(decision, Skip):
            lazy = lazy_call(made, wait_for, partial(_submit, engine, task))
            item = final_state(lazy) if return_state else lazy.item
            return _as_coroutine(item) if task.task.isasync else item
        if not made.is_plain or wait_for:
            decision, wait_for = with_inputs(made, decision, wait_for)
        if not (isinstance(decision, Skip) and task.mode.skips):
            run = _run_async if task.is_awaited else _run
            return run(engine, made, decision, wait_for, return_state)
        item = decision.item
    for skipped in HOOKS.call_skipped:
        skipped(task, item.location)
    if return_state:
        item = ENGINES[task.mode.engine].finished(item.store, item.location).state
    return _as_coroutine(item) if task.task.isasync else item


def submit(task: ResolvedTask, args: Args, kwargs: Arguments) -> Any:
    """Submit a call and return its future, which holds its result or its failure.

    The parameters are those of `call`.

    Raises:
        TargetError: if the target cannot be filled or belongs to a different call.
    """
    return_state, wait_for = take_call_options(kwargs) if kwargs else (False, None)
    engine = ENGINES[task.mode.engine]
    row, location, exists = task.fast_path.find(args, kwargs)
    if exists and location is not None:
        for skipped in HOOKS.call_skipped:
            skipped(task, location)
        future = engine.finished(task.fast_path.store, location)
    else:
        made, decision = _decided(engine, task, args, kwargs, row, location)
        future = _hand_on(engine, task, made, decision, wait_for)
    return final_state(future) if return_state else future


def map(task: ResolvedTask, args: Args, kwargs: Arguments) -> Any:  # noqa: A001
    """Submit one call for each element of the arguments that can be gone through.

    The parameters are those of `call`, and `deferred`, to leave the calls to a worker.

    Raises:
        TargetError: before anything runs, if a target cannot be filled or two calls share one.
    """
    return_state, wait_for = take_call_options(kwargs)
    deferred: Arguments | None = {} if kwargs.pop("deferred", False) else None
    engine = ENGINES[task.mode.engine]
    rows, sources = map_arguments(task.task.signature, args, kwargs, task.task.name)
    made = decide_each(task, list(rows), engine.flow_name)  # all: a wrong one stops them all
    wait_for = [*listed(wait_for), *sources] if sources else wait_for
    futures = [
        _skipped(engine, task, task.fast_path.store, each)
        if isinstance(each, str)
        else _hand_on(engine, task, *each, wait_for, deferred=deferred)
        for each in made
    ]
    return [final_state(future) for future in futures] if return_state else engine.gathered(futures)


def delay(task: ResolvedTask, args: Args, kwargs: Arguments, wait_for: Any, inputs: Any) -> Any:
    """Leave a call to a worker that serves the task, unless it is finished; return its future."""
    engine = ENGINES[task.mode.engine]
    made, decision = decided(task, args, kwargs, engine.flow_name)
    return _hand_on(engine, task, made, decision, wait_for, deferred=inputs)


def _decided(
    engine: Engine, task: ResolvedTask, args: Args, kwargs: Arguments, row: Args, place: str | None
) -> tuple[Call, Decision]:
    if place is None:
        return decided(task, args, kwargs, engine.flow_name)
    return Call.with_scalars(task, row, place, engine.flow_name), MISSING


def _hand_on(
    engine: Engine, task: ResolvedTask, call: Call, decision: Decision, wait_for: Any,
    deferred: Arguments | None = None,
) -> Future[Any]:  # fmt: skip
    if deferred is not None and not (isinstance(decision, Skip) and task.mode.skips):
        return engine.delay(call, with_inputs(call, decision, wait_for)[1], deferred)
    if task.is_lazy and not isinstance(decision, Skip):
        return lazy_call(call, wait_for, partial(_submit, engine, task))
    return _submit(engine, task, call, decision, wait_for)


def _submit(
    engine: Engine, task: ResolvedTask, call: Call, decision: Decision, wait_for: Any
) -> Future[Any]:
    if not call.is_plain or wait_for:
        decision, wait_for = with_inputs(call, decision, wait_for)
    if isinstance(decision, Skip) and task.mode.skips:
        return _skipped(engine, task, decision.item.store, decision.item.location)
    earlier = RUNS.submitted(call.item)
    if earlier is not None:
        if task.mode.skips:
            return earlier
        wait_for = [*listed(wait_for), earlier]
    with handed_on(call) as over:
        future = engine.submit(call, decision, wait_for)
        if call.item is not None:
            RUNS.submit(call.item, future)
            REDEFINITIONS.renew_after(future, call.version)
        over_with(future, over, engine.seconds)
    return future


def _skipped(engine: Engine, task: ResolvedTask, store: Store, location: str) -> Future[Any]:
    for skipped in HOOKS.call_skipped:
        skipped(task, location)
    return engine.finished(store, location)


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

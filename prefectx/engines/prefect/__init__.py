"""Calls and flows that Prefect runs; the only place, with `dask`, that imports it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from typing import Any

import prefect
import prefect.futures
from prefect import Flow as StockFlow
from prefect import Task as StockTask
from prefect.client.schemas.objects import State
from prefect.utilities.visualization import get_task_viz_tracker

from prefectx.arguments.mapping import map_arguments
from prefectx.calls.resolved_task import Recipe
from prefectx.calls.target_owners import CLAIMS
from prefectx.engines.prefect.api import with_api
from prefectx.engines.prefect.arguments import waited_for
from prefectx.engines.prefect.counting import count
from prefectx.engines.prefect.flows import PrefectFlow, prefect_flow
from prefectx.engines.prefect.futures import SkippedFuture, cached_state
from prefectx.engines.prefect.runs import in_api, in_flow_run
from prefectx.engines.prefect.submission import Submission
from prefectx.engines.prefect.tasks import PrefectTask, prefect_task
from prefectx.futures import DoneAndNotDone, Future
from prefectx.item import Item, Store
from prefectx.monitoring import progress
from prefectx.tasks.flow import Flow
from prefectx.tasks.keywords import take_call_options
from prefectx.tasks.task import Task

make_task = PrefectTask
make_flow = PrefectFlow
tags = prefect.tags
get_run_logger = prefect.get_run_logger


def call(recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call as a task run and return its result: data, or the item of its output.

    Parameters:
        recipe: the recipe of the task.
        args: the arguments of its function.
        kwargs: likewise, with `return_state` and `wait_for`.
    """
    task = recipe.task
    if get_task_viz_tracker() is not None:
        return StockTask.__call__(prefect_task(task), *args, **kwargs)
    return_state, wait_for = take_call_options(kwargs)
    location = recipe.finder.find(args, kwargs)
    if location is None:
        submission = Submission.of(recipe, args, kwargs)
        if not submission.is_skipped:
            return _run(submission, waited_for(wait_for), return_state)
        item = submission.item
    else:
        item = Item(recipe.finder.store, location)
    assert item is not None
    progress.skipped(task.name)
    found = cached_state(item) if return_state else item
    return _as_coroutine(found) if task.isasync else found


def submit(recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Submit a call to the flow's task runner, unless it is finished; return its future.

    Parameters:
        recipe: the recipe of the task.
        args: the arguments of its function.
        kwargs: likewise, with `return_state` and `wait_for`.

    Raises:
        TargetError: where the target cannot be filled or belongs to a different call.
        RuntimeError: outside a flow, as no runner is there.
    """
    return_state, wait_for = take_call_options(kwargs)
    location = recipe.finder.find(args, kwargs)
    if location is not None:
        future = _skipped(recipe.task, recipe.finder.store, location)
    else:
        future = _submit(Submission.of(recipe, args, kwargs), waited_for(wait_for))
    return _state(future) if return_state else future


def map(  # noqa: A001  # the name of the method that it serves
    recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Submit a call for each element of the arguments that can be gone through."""
    task = recipe.task
    return_state, wait_for = take_call_options(kwargs)
    hand_over = _delay if kwargs.pop("deferred", False) else _submit
    rows = list(map_arguments(task.binder, args, kwargs, task.name))
    found, store = recipe.finder.find_many(rows), recipe.finder.store
    rest = Submission.of_each(recipe, compress(rows, [place is None for place in found]))
    awaited = waited_for(wait_for)
    others = (hand_over(submission, awaited) for submission in rest)
    futures = [next(others) if at is None else _skipped(task, store, at) for at in found]
    return [_state(future) for future in futures] if return_state else _list(futures)


def delay(
    recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Any = None
) -> Any:
    """Leave a call to a worker that serves the task, unless it is finished; return its future."""
    return _delay(Submission.of(recipe, args, kwargs), waited_for(wait_for))


def run_flow(flow: Flow[..., Any], args: tuple[Any, ...], /, **kwargs: Any) -> Any:
    """Run a flow as Prefect's."""
    ready = prefect_flow(flow)
    if get_task_viz_tracker() is not None:
        return StockFlow.__call__(ready, *args, **kwargs)
    return in_flow_run(flow, StockFlow.__call__, ready.for_run(), *args, **kwargs)


def wait(futures: Iterable[Any], timeout: float | None = None) -> DoneAndNotDone:
    """Wait for futures, of Prefect or of calls that ran without it."""
    over, others = _part(futures)
    done, not_done = prefect.futures.wait(others, timeout=timeout)
    return DoneAndNotDone(over | done, not_done)


def as_completed(futures: Iterable[Any], timeout: float | None = None) -> Iterator[Any]:
    """Yield futures as their calls end."""
    over, others = _part(futures)
    yield from over
    yield from prefect.futures.as_completed(others, timeout=timeout)


def _submit(submission: Submission, wait_for: list[Any] | None) -> Any:
    item = submission.item
    if item is not None and submission.is_skipped:
        return _skipped(submission.task, item.store, item.location)
    under_way = CLAIMS.submitted(item)
    if under_way is not None:
        if submission.skips:
            return under_way
        wait_for = [*(wait_for or ()), under_way]
    ready, args, kwargs = submission.ready()
    future: Any = StockTask.submit(ready, *args, wait_for=wait_for, **kwargs)
    if item is not None:
        future.item = item
        CLAIMS.submit(item, future)
    count(future, submission.name, item)
    return future


def _delay(submission: Submission, wait_for: list[Any] | None) -> Any:
    if submission.item is not None and submission.is_skipped:
        return SkippedFuture(submission.item.store, submission.item.location)
    ready, args, kwargs = submission.deferred()
    future: Any = with_api(StockTask.apply_async)(ready, args, kwargs, wait_for)
    if submission.item is not None:
        future.item = submission.item
    return future


def _skipped(task: Task[..., Any], store: Store, location: str) -> SkippedFuture:
    progress.skipped(task.name)
    return SkippedFuture(store, location)


def _state(future: Any) -> Any:
    future.wait()
    return future.state


def _list(futures: list[Any]) -> Any:
    kind: Any = prefect.futures.PrefectFutureList
    return kind(futures)


def _part(futures: Iterable[Any]) -> tuple[set[Any], list[Any]]:
    futures = list(futures)
    over = {future for future in futures if isinstance(future, Future)}
    return over, [future for future in futures if future not in over]


def _run(submission: Submission, wait_for: list[Any] | None, return_state: bool) -> Any:
    ready, args, kwargs = submission.ready()
    options = {"return_state": return_state, "wait_for": wait_for}
    run = functools.partial(in_api, ready, StockTask.__call__, args, kwargs | options)
    if ready.isgenerator:
        return run()
    return (_call_async if ready.isasync else _call)(submission, run, return_state)


def _call(submission: Submission, run: Callable[[], Any], return_state: bool) -> Any:
    with progress.running(submission.name, submission.item) as end:
        result = run()
        end(result)
    return result if return_state else _returned(submission, result)


async def _call_async(submission: Submission, run: Callable[[], Any], return_state: bool) -> Any:
    with progress.running(submission.name, submission.item) as end:
        result = await run()
        end(result)
    return result if return_state else _returned(submission, result)


def _returned(submission: Submission, result: Any) -> Any:
    # A run with an output ends in a state of its own, which Prefect returns as it is.
    has_item = submission.item is not None and isinstance(result, State) and result.is_completed()
    return submission.item if has_item else result


async def _as_coroutine(value: Any) -> Any:
    return value

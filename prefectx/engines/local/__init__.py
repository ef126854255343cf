"""Calls that run at once, in the caller's own thread: the modes `function` and `cache`."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import compress
from typing import Any

from prefectx import settings
from prefectx.arguments.mapping import map_arguments
from prefectx.arguments.references import check_upstream, load_items, resolve_futures
from prefectx.arguments.traversal import ATOMS, are_atoms
from prefectx.calls.call import are_finished
from prefectx.calls.resolved_task import Recipe
from prefectx.engines.local.runs import Run, skipped
from prefectx.futures import AnyFuture, DoneAndNotDone, Future, FutureList
from prefectx.item import Item
from prefectx.monitoring import logging as logs
from prefectx.monitoring import progress
from prefectx.monitoring.display import showing
from prefectx.runtime import in_flow
from prefectx.tasks.flow import Flow
from prefectx.tasks.keywords import take_call_options
from prefectx.tasks.task import Task

make_task = Task
make_flow = Flow


def call(recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call and return its result: data, or the item of its output.

    Parameters:
        recipe: the recipe of the task.
        args: the arguments of its function.
        kwargs: likewise, with `return_state` and `wait_for`.
    """
    task = recipe.task
    if recipe.is_bare and not kwargs and progress.current() is None:
        for value in args:  # as `are_atoms`, but for the frame that it takes
            if type(value) not in ATOMS:
                break
        else:
            return task.fn(*args)
    return_state, wait_for = take_call_options(kwargs) if kwargs else (False, None)
    if not return_state:
        location = recipe.finder.find(args, kwargs)
        if location is not None:
            progress.skipped(task.name)
            item = Item(recipe.finder.store, location)
            return _as_coroutine(item) if task.isasync else item
    if recipe.is_bare and not return_state:
        return _call_bare(task, args, kwargs, wait_for)
    run = Run(recipe, task.binder.bind(args, kwargs), wait_for)
    if task.isasync:
        return run.state_async() if return_state else run.value_async()
    return run.future().state if return_state else run.value()


def submit(recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call and return a future that holds its result or its failure.

    Parameters:
        recipe: the recipe of the task.
        args: the arguments of its function.
        kwargs: likewise, with `return_state` and `wait_for`.

    Raises:
        TargetError: where the target cannot be filled or belongs to a different call.
        TypeError: where the arguments do not fit the function.
    """
    task = recipe.task
    return_state, wait_for = take_call_options(kwargs)
    location = recipe.finder.find(args, kwargs)
    if location is not None:
        future = skipped(task, recipe.finder.store, location)
    else:
        future = Run(recipe, task.binder.bind(args, kwargs), wait_for).complete()
    return future.state if return_state else future


def map(  # noqa: A001  # the name of the method that it serves
    recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Submit a call for each element of the arguments that can be gone through."""
    task = recipe.task
    return_state, wait_for = take_call_options(kwargs)
    rows = list(map_arguments(task.binder, args, kwargs, task.name))
    found, store = recipe.finder.find_many(rows), recipe.finder.store
    others = _run_each(recipe, compress(rows, [place is None for place in found]), wait_for)
    futures = [next(others) if at is None else skipped(task, store, at) for at in found]
    return [future.state for future in futures] if return_state else FutureList(futures)


def _run_each(recipe: Recipe, rows: Iterable[tuple[Any, ...]], wait_for: Any) -> Iterator[Future]:
    names = recipe.task.binder.names
    runs = [Run(recipe, dict(zip(names, row, strict=True)), wait_for) for row in rows]
    calls = [run.call for run in runs if run.call is not None]
    finished = are_finished(calls) if calls else [False] * len(runs)
    for run, is_finished in zip(runs, finished, strict=True):
        yield run.skipped() if is_finished else run.complete()


def delay(
    recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Any = None
) -> Future:
    """Run a call that was to be left to a worker: there is none."""
    future: Future = submit(recipe, args, {**kwargs, "wait_for": wait_for})
    return future


def run_flow(
    flow: Flow[..., Any],
    args: tuple[Any, ...],
    /,
    *,
    return_state: bool = False,
    wait_for: Any = None,
    **kwargs: Any,
) -> Any:
    """Run a flow as a plain function; a future that it returns is resolved."""
    check_upstream(wait_for)
    if flow.isasync and not flow.isgenerator:
        future = _flow_future_async(flow, args, kwargs)
        return _state_of(future) if return_state else _result_of(future)
    try:
        with _running(flow):
            result = Future(_returned(flow.fn(*args, **kwargs)))
    except Exception as error:
        if not return_state:
            raise
        result = Future(error, failed=True)
    return result.state if return_state else result.result()


def wait(futures: Iterable[Any], timeout: float | None = None) -> DoneAndNotDone:
    """Wait for futures; the calls of these are over."""
    return DoneAndNotDone(set(futures), set())


def as_completed(futures: Iterable[Any], timeout: float | None = None) -> Iterator[Any]:
    """Yield futures as their calls end; the calls of these are over."""
    yield from dict.fromkeys(futures)


def tags(*new_tags: str) -> AbstractContextManager[set[str]]:
    """Accept tags; without Prefect nobody sees them."""
    return nullcontext(set(new_tags))


def get_run_logger() -> logging.Logger:
    """Return the logger for what happens in a task or a flow."""
    logs.set_up(settings.current().project.logging)
    return logging.getLogger(logs.RUNS)


def _call_bare(
    task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], wait_for: Any
) -> Any:
    if wait_for is not None:
        check_upstream(wait_for)
    if not (are_atoms(args) and are_atoms(kwargs.values())):
        given = load_items(resolve_futures({"args": args, "kwargs": kwargs}))
        args, kwargs = given["args"], given["kwargs"]
    if progress.current() is None:
        return task.fn(*args, **kwargs)
    with progress.running(task.name):
        return task.fn(*args, **kwargs)


@contextmanager
def _running(flow: Flow[..., Any]) -> Iterator[None]:
    """Log, count and show what happens in a flow, and sum it up at the end."""
    options = settings.current().project
    logs.set_up(options.logging)
    with in_flow(flow.name), progress.recording(flow) as summary:
        try:
            with showing(summary, options.progress):
                yield
        finally:
            for line in summary.lines():
                logging.getLogger(logs.RUNS).info("%s: %s", flow.name, line)


async def _as_coroutine(value: Any) -> Any:
    return value


async def _state_of(future: Coroutine[Any, Any, Future]) -> Any:
    return (await future).state


async def _result_of(future: Coroutine[Any, Any, Future]) -> Any:
    return (await future).result()


async def _flow_future_async(
    flow: Flow[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Future:
    try:
        with _running(flow):
            return Future(_returned(await flow.fn(*args, **kwargs)))
    except Exception as error:
        return Future(error, failed=True)


def _returned(value: Any) -> Any:
    return value.result() if isinstance(value, AnyFuture) else value

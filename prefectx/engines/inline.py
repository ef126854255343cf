"""Calls that run at once, in the caller's own thread: the modes `function` and `cache`."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import compress
from typing import Any

from prefectx import logs, progress, settings
from prefectx.call import Outcome, are_finished, make_call
from prefectx.display import showing
from prefectx.flows import Flow
from prefectx.futures import AnyFuture, DoneAndNotDone, Future, FutureList, SkippedFuture, State
from prefectx.item import Item, Store
from prefectx.keywords import take_call_options
from prefectx.mapping import map_arguments
from prefectx.nested import ATOMS, are_atoms
from prefectx.recipe import Recipe
from prefectx.references import check_upstream, load_items, resolve_futures
from prefectx.runtime import flow_name, in_flow
from prefectx.tasks import Task

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
    run = _Run(recipe, task.binder.bind(args, kwargs), wait_for)
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
        future = _skipped(task, recipe.finder.store, location)
    else:
        future = _Run(recipe, task.binder.bind(args, kwargs), wait_for).complete()
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
    futures = [next(others) if at is None else _skipped(task, store, at) for at in found]
    return [future.state for future in futures] if return_state else FutureList(futures)


def _run_each(recipe: Recipe, rows: Iterable[tuple[Any, ...]], wait_for: Any) -> Iterator[Future]:
    names = recipe.task.binder.names
    runs = [_Run(recipe, dict(zip(names, row, strict=True)), wait_for) for row in rows]
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


class _Run:
    """A call on its way in one of these modes.

    Parameters:
        recipe: the recipe of the task.
        arguments: its arguments by name, defaults applied; futures among them are over.
        wait_for: futures that must not have failed.
    """

    __slots__ = ("arguments", "call", "item", "task", "wait_for")

    def __init__(self, recipe: Recipe, arguments: dict[str, Any], wait_for: Any) -> None:
        self.task = recipe.task
        self.wait_for = wait_for
        self.arguments = arguments
        has_item = recipe.keeps or recipe.target is not None
        self.call = make_call(recipe, arguments, flow_name) if has_item else None
        self.item = self.call.item if self.call else None

    @property
    def is_finished(self) -> bool:
        """Whether the output exists, and inputs need not be waited for."""
        # Where there are none, the caching step looks early enough.
        return self.call is not None and not self.call.is_plain and self.call.is_finished

    def value(self) -> Any:
        """Run the call, unless it is finished; return data, or the item of its output."""
        return self.skipped().item if self.is_finished else self._outcome().value

    async def value_async(self) -> Any:
        """Do what `value` does for an async task."""
        return self.skipped().item if self.is_finished else (await self._outcome_async()).value

    def complete(self) -> Future:
        """Run the call to its end, async or not; hold its result or failure."""
        return _complete(self.future_async()) if self.task.isasync else self.future()

    def future(self) -> Future:
        """Run the call, unless it is finished; hold its result or failure."""
        try:
            if self.is_finished:
                return self.skipped()
            outcome = self._outcome()
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return Future(error, failed=True, item=self.item)
        return Future(outcome.value, item=self.item, skipped=outcome.skipped)

    async def future_async(self) -> Future:
        """Do what `future` does for an async task."""
        try:
            if self.is_finished:
                return self.skipped()
            outcome = await self._outcome_async()
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return Future(error, failed=True, item=self.item)
        return Future(outcome.value, item=self.item, skipped=outcome.skipped)

    async def state_async(self) -> State:
        """Do what `future` does for an async task, and return its state."""
        return (await self.future_async()).state

    def skipped(self) -> Future:
        """Return the future of the call, which is finished."""
        assert self.item is not None
        return _skipped(self.task, self.item.store, self.item.location)

    def _outcome(self) -> Outcome:
        if progress.current() is None:
            return self._run()
        with progress.running(self.task.name, self.item) as end:
            outcome = self._run()
            end(State("COMPLETED", "Cached", None) if outcome.skipped else None)
            return outcome

    async def _outcome_async(self) -> Outcome:
        with progress.running(self.task.name, self.item) as end:
            outcome = await self._run_async()
            end(State("COMPLETED", "Cached", None) if outcome.skipped else None)
            return outcome

    def _run(self) -> Outcome:
        args, kwargs = self._inputs()
        if self.call is not None:
            return self.call.run(*args, **kwargs)
        data = self.task.fn(*args, **kwargs)
        return Outcome(list(data) if self.task.isgenerator else data, False)

    async def _run_async(self) -> Outcome:
        args, kwargs = self._inputs()
        if self.call is not None:
            return await self.call.run_async(*args, **kwargs)
        result = self.task.fn(*args, **kwargs)
        is_generator = self.task.isgenerator
        data = [part async for part in result] if is_generator else await result
        return Outcome(data, False)

    def _inputs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        check_upstream(self.wait_for)
        if self.call is not None and self.call.is_plain:
            return self.task.binder.unbind(self.arguments)
        arguments = resolve_futures(self.arguments)
        return self.task.binder.unbind(load_items(arguments) if self.call is None else arguments)


def _skipped(task: Task[..., Any], store: Store, location: str) -> Future:
    progress.skipped(task.name)
    return SkippedFuture(store, location)


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


def _complete(coroutine: Coroutine[Any, Any, Future]) -> Future:
    """Run a coroutine to its end, in a thread of its own where a loop runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()


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

"""The inline engine: calls run at once, in the thread of the caller."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from prefectx import settings
from prefectx.arguments.references import check_upstream, load, load_items, resolve_futures
from prefectx.arguments.signature import Arguments
from prefectx.calls import Call, Decision, Outcome, Run
from prefectx.engines.local.flows import run_flow
from prefectx.engines.local.futures import LocalFuture, LocalState, SkippedFuture
from prefectx.engines.protocol import Engine, FlowDefinition, Result, WaitFor
from prefectx.errors import ConfigError
from prefectx.futures import DoneAndNotDone, Future, FutureList, State, data_of
from prefectx.item import Store
from prefectx.monitoring import logging as logs
from prefectx.run_context import flow_name
from prefectx.tasks.flow import Flow
from prefectx.tasks.task import Task

_CACHED = LocalState("COMPLETED", "Cached", None)


class InlineEngine:
    """Runs calls at once, in the modes `function` and `cache`. Its futures are done."""

    def make_task(
        self,
        fn: Callable[..., object],
        keywords: Mapping[str, object],
        prefect_keywords: Mapping[str, object],
    ) -> Task[..., object]:
        """Make the task of a function."""
        return Task(fn, keywords, prefect_keywords)

    def make_flow(
        self, fn: Callable[..., object], prefect_keywords: Mapping[str, object]
    ) -> Flow[..., object]:
        """Make the flow of a function."""
        return Flow(fn, prefect_keywords)

    def flow_name(self) -> str | None:
        """Return the name of the current flow, None outside a flow."""
        return flow_name()

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        """Run a call and return its result: data, or the item of its output."""
        if return_state:
            if call.task.isasync:
                return Result(self._state_async(call, wait_for))
            state = self.submit(call, decision, wait_for).state
            return Result(state, state)
        args, kwargs = _inputs(call, wait_for)
        if _is_bare(call):
            return Result(load(call.task.fn(*args, **kwargs)))
        return _result(call.run(*args, **kwargs))

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        """Run a call of an async task; see `run`."""
        if return_state:
            state = await self._state_async(call, wait_for)
            return Result(state, state)
        args, kwargs = _inputs(call, wait_for)
        return _result(await call.run_async(*args, **kwargs))

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        """Run a call, async or not, and return its future, which is done."""
        if call.task.isasync:
            return _completed(self._future_async(call, wait_for))
        try:
            args, kwargs = _inputs(call, wait_for)
            if not _is_bare(call):
                return _future(call, call.run(*args, **kwargs))
            data = call.task.fn(*args, **kwargs)
            data = list(data) if call.task.isgenerator else data
            if isinstance(data, State):
                return LocalFuture(load(data_of(data)), returned=data)
            return LocalFuture(load(data))
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return _failed(call, error)

    def delay(
        self, call: Call, wait_for: WaitFor, dependencies: Mapping[str, object]
    ) -> Future[object]:
        """Run a call at once, as there are no task workers."""
        return self.submit(call, Run("missing"), wait_for)

    def finished(self, store: Store, location: str) -> Future[object]:
        """Return the future of a call whose output exists there."""
        return SkippedFuture(store, location)

    def gathered(self, futures: list[Future[object]]) -> FutureList[object]:
        """Return the futures of a mapped task as a list with `result` and `wait`."""
        return FutureList(futures)

    def seconds(self, state: State[object]) -> float | None:
        """Return how long the call of a final state ran, None if unknown."""
        return state.seconds if isinstance(state, LocalState) else None

    def run_flow(self, flow: FlowDefinition, args: tuple[object, ...], kwargs: Arguments) -> object:
        """Run a flow as a plain function; if it returns a future, return its result."""
        return run_flow(flow, args, kwargs)

    def flow_from_source(self, *args: object, **kwargs: object) -> object:
        """Fail: only Prefect can load flows.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("flow.from_source needs Prefect: set one of the Prefect modes")

    def wait(self, futures: list[Future[object]], timeout: float | None) -> DoneAndNotDone:
        """Return all futures as done."""
        return DoneAndNotDone(set(futures), set())

    def as_completed(
        self, futures: list[Future[object]], timeout: float | None
    ) -> Iterator[Future[object]]:
        """Yield all futures."""
        yield from dict.fromkeys(futures)

    def tags(self, *tags: str) -> AbstractContextManager[set[str]]:
        """Accept tags and ignore them."""
        return nullcontext(set(tags))

    def get_run_logger(self) -> logging.Logger:
        """Return the logger of flows and tasks."""
        logs.set_up(settings.current().project.logging)
        return logging.getLogger(logs.RUNS)

    async def _future_async(self, call: Call, wait_for: WaitFor) -> LocalFuture:
        try:
            args, kwargs = _inputs(call, wait_for)
            return _future(call, await call.run_async(*args, **kwargs))
        except Exception as error:  # as in Prefect, one bad input does not stop the others
            return _failed(call, error)

    async def _state_async(self, call: Call, wait_for: WaitFor) -> LocalState:
        return (await self._future_async(call, wait_for)).state


ENGINE: Engine = InlineEngine()


def _is_bare(call: Call) -> bool:
    """Tell whether a call is a plain call of the function, which may return a generator."""
    return call.item is None and not call.mode.keeps


def _inputs(call: Call, wait_for: WaitFor) -> tuple[tuple[object, ...], Arguments]:
    """Resolve the futures in a call's arguments; load the items too if it is a bare call."""
    if wait_for is not None:
        check_upstream(wait_for)
    if call.is_plain and call.task.signature.is_simple:
        return tuple(call.arguments.values()), {}
    arguments = resolve_futures(call.arguments)
    if _is_bare(call):
        arguments = load_items(arguments)
    return call.task.signature.unbind(arguments)


def _result(outcome: Outcome) -> Result:
    return Result(outcome.value, _CACHED if outcome.skipped else None)


def _future(call: Call, outcome: Outcome) -> LocalFuture:
    return LocalFuture(
        outcome.value,
        item=call.item,
        skipped=outcome.skipped,
        seconds=outcome.seconds,
        returned=outcome.state,
    )


def _failed(call: Call, error: Exception) -> LocalFuture:
    returned = getattr(error, "returned_state", None)
    return LocalFuture(error, failed=True, item=call.item, returned=returned)


def _completed(coroutine: Coroutine[None, None, LocalFuture]) -> LocalFuture:
    """Run a coroutine; in a separate thread if this one has a running event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, coroutine).result()

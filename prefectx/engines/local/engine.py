"""The local engine: calls and flows without Prefect, in the modes `function` and `cache`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from prefectx import settings
from prefectx.arguments.signature import Arguments
from prefectx.calls import Call, Decision, Run
from prefectx.engines.local.flows import run_flow
from prefectx.engines.local.futures import SkippedFuture
from prefectx.engines.local.place import scheduler
from prefectx.engines.local.running import run, run_async, run_here
from prefectx.engines.local.waiting import as_completed, wait
from prefectx.engines.protocol import Engine, FlowDefinition, WaitFor
from prefectx.errors import ConfigError
from prefectx.futures import DoneAndNotDone, Future, FutureList, LocalState, State
from prefectx.item import Store
from prefectx.monitoring import logging as logs
from prefectx.run_context import flow_name
from prefectx.tasks.flow import Flow
from prefectx.tasks.task import Task


class LocalEngine:
    """Runs calls in the caller's thread, and those that are submitted on the flow's runner."""

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

    run = staticmethod(run)
    run_async = staticmethod(run_async)

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        """Hand a call to the flow's runner, or run it at once; return its future."""
        chosen = scheduler() if call.mode.keeps else None
        if chosen is None:
            return run_here(call, wait_for)
        return chosen.submit(call, wait_for)

    def delay(
        self, call: Call, wait_for: WaitFor, dependencies: Mapping[str, object]
    ) -> Future[object]:
        """Submit a call, as there are no task workers."""
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
        """Wait for futures, `timeout` seconds at most."""
        return wait(futures, timeout)

    def as_completed(
        self, futures: list[Future[object]], timeout: float | None
    ) -> Iterator[Future[object]]:
        """Yield futures as their calls end."""
        return as_completed(futures, timeout)

    def tags(self, *tags: str) -> AbstractContextManager[set[str]]:
        """Accept tags and ignore them."""
        return nullcontext(set(tags))

    def get_run_logger(self) -> logging.Logger:
        """Return the logger of flows and tasks."""
        logs.set_up(settings.current().project.logging)
        return logging.getLogger(logs.RUNS)


ENGINE: Engine = LocalEngine()

"""Engine: what the core asks of whatever runs calls and flows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from prefectx.calls import Call, Decision, TaskDefinition
from prefectx.futures import DoneAndNotDone, Future, FutureList, State
from prefectx.item import Store
from prefectx.monitoring.progress import RunSummary

WaitFor = Future[Any] | Iterable[Future[Any]] | None


class FlowDefinition(Protocol):
    """A decorated flow, as far as engines need it; `prefectx.Flow` is one."""

    name: str
    fn: Callable[..., Any]
    isasync: bool
    isgenerator: bool
    last_run: RunSummary | None


class Result(NamedTuple):
    """The result of a call that was not submitted.

    Attributes:
        value: what the caller gets.
        state: the final state; None if the call just returned.
    """

    value: Any
    state: State[Any] | None = None


class Engine(Protocol):
    """Runs calls and flows. It decides nothing: what is handed on to it has to run."""

    def make_task(
        self,
        fn: Callable[..., Any],
        keywords: Mapping[str, object],
        prefect_keywords: Mapping[str, object],
    ) -> TaskDefinition:
        """Make the task of a function.

        Parameters:
            fn: the function.
            keywords: prefectx's own keywords of the decorator.
            prefect_keywords: those of Prefect.
        """

    def make_flow(
        self, fn: Callable[..., Any], prefect_keywords: Mapping[str, object]
    ) -> FlowDefinition:
        """Make the flow of a function."""

    def flow_name(self) -> str | None:
        """Return the name of the flow that runs here, None outside one."""

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        """Run a call and return its result.

        Parameters:
            call: the call.
            decision: what was decided when it was made.
            wait_for: futures to wait for first.
            return_state: return the state of the call instead of its result.
        """

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        """Do what `run` does for an async task."""

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[Any]:
        """Hand a call to the runner and return its future."""

    def delay(self, call: Call, wait_for: WaitFor) -> Future[Any]:
        """Leave a call to a worker that serves the task, and return its future."""

    def finished(self, store: Store, location: str) -> Future[Any]:
        """Return the future of a call whose output exists there."""

    def gathered(self, futures: list[Future[Any]]) -> FutureList[Any]:
        """Return the futures of a mapped task as one."""

    def seconds(self, state: State[Any]) -> float | None:
        """Return how long the call of a final state ran, None if unknown."""

    def run_flow(
        self, flow: FlowDefinition, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Any:
        """Run a flow; `kwargs` may hold `return_state` and `wait_for`."""

    def flow_from_source(self, *args: object, **kwargs: object) -> Any:
        """Load a flow from a folder, a repository or a bucket."""

    def wait(self, futures: list[Future[Any]], timeout: float | None) -> DoneAndNotDone:
        """Wait for futures, `timeout` seconds at most."""

    def as_completed(
        self, futures: list[Future[Any]], timeout: float | None
    ) -> Iterator[Future[Any]]:
        """Yield futures as their calls end."""

    def tags(self, *tags: str) -> AbstractContextManager[set[str]]:
        """Give the runs in a `with` block these tags."""

    def get_run_logger(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        """Return the logger of the flow or task that runs here."""

"""Engine: the interface between the core and what runs calls and flows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from prefectx.calls import Call, Decision, TaskDefinition
from prefectx.futures import DoneAndNotDone, Future, FutureList, State
from prefectx.item import Store
from prefectx.monitoring.summary import RunSummary

WaitFor = Future[object] | Iterable[Future[object]] | None


class FlowDefinition(Protocol):
    """The part of a decorated flow that engines need; `prefectx.Flow` is one."""

    name: str
    fn: Callable[..., Any]
    isasync: bool
    isgenerator: bool
    last_run: RunSummary | None

    @property
    def prefect_keywords(self) -> Mapping[str, object]:
        """The keywords of Prefect that the decorator was given."""


class Result(NamedTuple):
    """The result of a call that was not submitted.

    Attributes:
        value: the value to return to the caller.
        state: the final state, None if there is none to report.
    """

    value: object
    state: State[object] | None = None


class Engine(Protocol):
    """Runs calls and flows. It decides nothing: the calls that reach it have to run."""

    def make_task(
        self,
        fn: Callable[..., object],
        keywords: Mapping[str, object],
        prefect_keywords: Mapping[str, object],
    ) -> TaskDefinition:
        """Make the task of a function.

        Parameters:
            fn: the function.
            keywords: prefectx's own keywords of the decorator.
            prefect_keywords: Prefect's keywords.
        """

    def make_flow(
        self, fn: Callable[..., object], prefect_keywords: Mapping[str, object]
    ) -> FlowDefinition:
        """Make the flow of a function."""

    def flow_name(self) -> str | None:
        """Return the name of the current flow, None outside a flow."""

    def run(self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool) -> Result:
        """Run a call and return its result.

        Parameters:
            call: the call.
            decision: the decision of when it was made.
            wait_for: futures to wait for first.
            return_state: return the state of the call instead of its result.
        """

    async def run_async(
        self, call: Call, decision: Decision, wait_for: WaitFor, return_state: bool
    ) -> Result:
        """Run a call of an async task; see `run`."""

    def submit(self, call: Call, decision: Decision, wait_for: WaitFor) -> Future[object]:
        """Hand a call to the runner and return its future."""

    def delay(
        self, call: Call, wait_for: WaitFor, dependencies: Mapping[str, object]
    ) -> Future[object]:
        """Leave a call to a worker that serves the task, and return its future.

        Parameters:
            call: the call.
            wait_for: futures to wait for first.
            dependencies: further inputs by name, for Prefect's graph.
        """

    def finished(self, store: Store, location: str) -> Future[object]:
        """Return the future of a call whose output exists there."""

    def gathered(self, futures: list[Future[object]]) -> FutureList[object]:
        """Return the futures of a mapped task as a list with `result` and `wait`."""

    def seconds(self, state: State[object]) -> float | None:
        """Return how long the call of a final state ran, None if unknown."""

    def run_flow(
        self, flow: FlowDefinition, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        """Run a flow; `kwargs` may hold `return_state` and `wait_for`."""

    def flow_from_source(self, *args: object, **kwargs: object) -> object:
        """Load a flow from a folder, a repository or a bucket."""

    def wait(self, futures: list[Future[object]], timeout: float | None) -> DoneAndNotDone:
        """Wait for futures, `timeout` seconds at most."""

    def as_completed(
        self, futures: list[Future[object]], timeout: float | None
    ) -> Iterator[Future[object]]:
        """Yield futures as their calls end."""

    def tags(self, *tags: str) -> AbstractContextManager[set[str]]:
        """Give the runs in a `with` block these tags."""

    def get_run_logger(self) -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
        """Return the logger of the current flow or task."""

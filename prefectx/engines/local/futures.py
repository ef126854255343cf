"""Futures and states of calls that have run without Prefect."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from types import SimpleNamespace
from typing import cast

from prefectx.errors import WorkerError
from prefectx.futures import Future, State
from prefectx.item import Item, Store

_DETAILS = (
    *("flow_run_id", "task_run_id", "child_flow_run_id", "scheduled_time", "cache_key"),
    *("cache_expiration", "deferred", "untrackable_result", "pause_timeout", "pause_reschedule"),
    *("pause_key", "run_input_keyset", "refresh_cache", "retriable", "transition_id"),
    *("task_parameters_id", "traceparent", "deployment_concurrency_lease_id"),
)


class LocalState(State[object]):
    """How a call ended, with the interface of Prefect's states.

    Parameters:
        kind: the type: `PENDING`, `RUNNING`, `COMPLETED`, `FAILED`, `CRASHED` or `CANCELLED`.
        name: `Completed`, `Cached`, `Failed`, ...
        data: what the call returned, or the exception that it raised.
        seconds: how long it ran, None if it did not.
        message: what its function says of it; by default of a failure the exception.
    """

    __slots__ = ("data", "message", "name", "seconds", "type")

    def __init__(
        self,
        kind: str,
        name: str,
        data: object,
        seconds: float | None = None,
        message: str | None = None,
    ) -> None:
        self.type = kind
        self.name = name
        self.data = data
        self.seconds = seconds
        if message is None and isinstance(data, BaseException):
            message = f"{type(data).__name__}: {data}"
        self.message = message

    @property
    def state_details(self) -> SimpleNamespace:
        """What Prefect tells of a state: without it there are no runs, and nothing is known."""
        return SimpleNamespace(**dict.fromkeys(_DETAILS))

    def is_completed(self) -> bool:
        """Tell whether the call returned."""
        return self.type == "COMPLETED"

    def is_failed(self) -> bool:
        """Tell whether the call raised."""
        return self.type == "FAILED"

    def is_final(self) -> bool:
        """Tell whether the call is over."""
        return self.type not in ("PENDING", "RUNNING")

    def is_crashed(self) -> bool:
        """Tell whether the worker of the call died."""
        return self.type == "CRASHED"

    def is_cancelled(self) -> bool:
        """Tell whether the call was given up before it began."""
        return self.type == "CANCELLED"

    def is_pending(self) -> bool:
        """Tell whether the call has not begun."""
        return self.type == "PENDING"

    def is_running(self) -> bool:
        """Tell whether the call has begun and is not over."""
        return self.type == "RUNNING"

    def is_scheduled(self) -> bool:
        """Return false: without Prefect nothing begins at a time."""
        return False

    is_paused = is_cancelling = is_scheduled

    def result(self, raise_on_failure: bool = True, *, _sync: bool = True) -> object:
        """Return what the call returned; raise (or return) what it raised."""
        if not self.is_final():
            raise RuntimeError(f"the call is {self.name.lower()} and has no result yet")
        if not self.is_completed() and raise_on_failure:
            raise cast(BaseException, self.data)
        return self.data

    def __repr__(self) -> str:
        return f"State(type={self.type!r}, name={self.name!r})"


class OverFuture(Future[object]):
    """A call that is over.

    Attributes:
        value: what the call returned, or the exception that it raised.
        failed: whether `value` is the exception.
        skipped: whether the output existed and the function did not run.
        seconds: how long the call ran, None if it did not.
        returned: the state that the function returned instead of data.
    """

    __slots__ = ("__weakref__",)

    value: object
    failed: bool
    skipped: bool
    seconds: float | None
    returned: State[object] | None

    @property
    def state(self) -> LocalState:  # type: ignore[override]  # made on access
        """How the call ended."""
        kind = _kind_of(self.value) if self.failed else "COMPLETED"
        if self.returned is not None:
            own = self.returned
            return LocalState(kind, own.name, self.value, self.seconds, own.message)
        name = "Cached" if self.skipped else kind.capitalize()
        return LocalState(kind, name, self.value, self.seconds)

    @property
    def _final_state(self) -> LocalState:
        # Prefect's own `wait` and `as_completed` look here.
        return self.state

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> object:
        """Return what the call returned.

        Parameters:
            timeout: ignored, as the call is over.
            raise_on_failure: raise what the call raised, else return the exception.
        """
        if self.failed and raise_on_failure:
            raise cast(BaseException, self.value)
        return self.value

    def wait(self, timeout: float | None = None) -> None:
        """Return at once: the call is over."""

    def add_done_callback(self, fn: Callable[[Future[object]], object]) -> None:
        """Call `fn` with this future, at once: the call is over."""
        fn(self)

    def __repr__(self) -> str:
        return f"Future({self.state.name}, item={self.item!r})"


class LocalFuture(OverFuture):
    """A call that ran: its result, or the exception that it raised.

    Parameters:
        value: what the call returned, or the exception.
        failed: whether `value` is the exception.
        item: the output of the call, None if none is kept.
        skipped: whether the output was found and the function did not run.
        seconds: how long the call ran.
        returned: the state that the function returned instead of data.
    """

    __slots__ = ("failed", "item", "returned", "seconds", "skipped", "value")

    def __init__(
        self,
        value: object,
        *,
        failed: bool = False,
        item: Item[object] | None = None,
        skipped: bool = False,
        seconds: float | None = None,
        returned: State[object] | None = None,
    ) -> None:
        self.value = value
        self.failed = failed
        self.skipped = skipped
        self.seconds = seconds
        self.item = item
        self.returned = returned


class SkippedFuture(OverFuture):
    """A call whose output existed. There may be very many, so it is small.

    Parameters:
        store: where the output is kept.
        location: its path, URL or key there.
    """

    __slots__ = ("_location", "_store")
    failed = False
    skipped = True
    seconds = None
    returned = None

    def __init__(self, store: Store, location: str) -> None:
        self._store = store
        self._location = location

    @property
    def item(self) -> Item[object]:  # type: ignore[override]  # made on access
        """The output."""
        return Item(self._store, self._location)

    @property
    def value(self) -> Item[object]:  # type: ignore[override]  # made on access
        """The output: the result is the item."""
        return self.item


def _kind_of(error: object) -> str:
    if isinstance(error, WorkerError):
        return "CRASHED"
    return "CANCELLED" if isinstance(error, CancelledError) else "FAILED"

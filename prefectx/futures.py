"""Future and State: the same interface in every mode. Engines subclass or register theirs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, Generic, NamedTuple, TypeVar, cast

from prefectx.item import Item

_DETAILS = (
    *("flow_run_id", "task_run_id", "child_flow_run_id", "scheduled_time", "cache_key"),
    *("cache_expiration", "deferred", "untrackable_result", "pause_timeout", "pause_reschedule"),
    *("pause_key", "run_input_keyset", "refresh_cache", "retriable", "transition_id"),
    *("task_parameters_id", "traceparent", "deployment_concurrency_lease_id"),
)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class State(ABC, Generic[R_co]):
    """The state of a call. Prefect's states are of this type too.

    Attributes:
        name: `Completed`, `Cached`, `Failed`, ...
        message: a description, None if there is none.
    """

    __slots__ = ()

    name: str
    message: str | None

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:  # bool, or NotImplemented
        # A function may return one where no engine has imported Prefect.
        is_prefects = cls is State and any(map(_is_prefects_state, other.__mro__))
        return is_prefects or NotImplemented

    @abstractmethod
    def is_completed(self) -> bool:
        """Tell whether the call returned."""

    @abstractmethod
    def is_failed(self) -> bool:
        """Tell whether the call raised."""

    @abstractmethod
    def is_final(self) -> bool:
        """Tell whether the call has returned or raised."""

    @abstractmethod
    def result(self, raise_on_failure: bool = True, *, _sync: bool = True) -> R_co:
        """Return what the call returned; raise (or return) what it raised.

        Parameters:
            raise_on_failure: raise what the call raised, else return the exception.
            _sync: true, else Prefect's states return a coroutine inside an event loop.
        """


def _is_prefects_state(cls: type) -> bool:
    return (cls.__module__, cls.__name__) == ("prefect.client.schemas.objects", "State")


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


class Future(ABC, Generic[R_co]):
    """The future of a submitted call.

    Attributes:
        state: the state of the call.
        item: the output of the call, known at once; None if none is kept.
    """

    __slots__ = ()

    state: State[R_co]
    item: Item[R_co] | None

    @abstractmethod
    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R_co:
        """Return what the call returned; raise (or return) what it raised.

        Parameters:
            timeout: seconds to wait at most, None for no limit.
            raise_on_failure: raise what the call raised, else return the exception.
        """

    @abstractmethod
    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call is done, `timeout` seconds at most."""

    @abstractmethod
    def add_done_callback(self, fn: Callable[[Future[R_co]], object]) -> None:
        """Call `fn` with this future when the call is done, or at once if it is."""


class FutureList(list[Future[R]]):
    """The futures of a mapped task."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[R]:
        """Return the results in the order of the calls; raise the first failure.

        Parameters:
            timeout: seconds to wait at most for each.
            raise_on_failure: raise what a call raised, else return the exception as its result.
        """
        return [future.result(timeout, raise_on_failure) for future in self]

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all calls are done, `timeout` seconds at most for each."""
        for future in self:
            future.wait(timeout)


class DoneAndNotDone(NamedTuple):
    """Two sets of futures: those of finished calls, and the others."""

    done: set[Future[object]]
    not_done: set[Future[object]]


def data_of(state: State[R]) -> R | None:
    """Return the data of a state that is over, None if it has none.

    Raises:
        Exception: if the state is a failure; its attribute `returned_state` is the state.
    """
    if state.is_completed() and getattr(state, "data", None) is None:
        return None
    try:
        return state.result(_sync=True)
    except Exception as error:
        error.returned_state = state  # type: ignore[attr-defined]
        raise


def final_state(future: Future[R]) -> State[R]:
    """Wait for a call to be over, and return its state."""
    future.wait()
    return future.state


def listed(futures: Future[R] | Iterable[Future[R]] | None) -> list[Future[R]]:
    """Return as a list what `wait_for` may be: one future, several, or nothing."""
    return [futures] if isinstance(futures, Future) else list(futures or ())


def item_of(value: object) -> Item[object] | None:
    """Return the value if it is an item, or the item of a future; None for others."""
    if isinstance(value, Item):
        return value
    item = getattr(value, "item", None) if isinstance(value, Future) else None
    return item if isinstance(item, Item) else None


def item_or(value: object) -> object:
    """Return the item of a future that has one, else the value."""
    item = item_of(value)
    return value if item is None else item

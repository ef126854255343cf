"""Future and State: the same interface in every mode. Engines subclass or register theirs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from prefectx.item import Item

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

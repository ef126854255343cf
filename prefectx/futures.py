"""Futures and states of calls that no Prefect runs; what a future is in every mode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from prefectx.item import Item, Store


class AnyFuture(ABC):
    """What counts as a future; the engines register the futures of their kind."""

    @abstractmethod
    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return what the call returned; raise (or return) what it raised."""


class AnyState(ABC):
    """What counts as the state of a call; the engines register the states of their kind."""

    @abstractmethod
    def is_completed(self) -> bool:
        """Tell whether the call returned."""

    @abstractmethod
    def result(self, raise_on_failure: bool = True) -> Any:
        """Return what the call returned; raise (or return) what it raised."""


@AnyState.register
@dataclass(frozen=True, slots=True)
class State:
    """How a call ended, with the questions that Prefect's states answer.

    Attributes:
        type: `COMPLETED` or `FAILED`.
        name: `Completed`, `Cached` or `Failed`.
        data: what the call returned, or the exception that it raised.
    """

    type: str
    name: str
    data: Any = field(repr=False)

    @property
    def message(self) -> str | None:
        """The exception in words, where the call failed."""
        return f"{type(self.data).__name__}: {self.data}" if self.is_failed() else None

    def is_completed(self) -> bool:
        """Tell whether the call returned."""
        return self.type == "COMPLETED"

    def is_failed(self) -> bool:
        """Tell whether the call raised."""
        return self.type == "FAILED"

    def is_final(self) -> bool:
        """Always true: these states are made when a call is over."""
        return True

    def is_crashed(self) -> bool:
        """Always false: where no Prefect runs, a crash ends the program."""
        return False

    def is_pending(self) -> bool:
        """Always false, as the call is over."""
        return False

    def is_running(self) -> bool:
        """Always false, as the call is over."""
        return False

    def result(self, raise_on_failure: bool = True) -> Any:
        """Return what the call returned; raise (or return) what it raised."""
        if self.is_failed() and raise_on_failure:
            raise self.data
        return self.data


@AnyFuture.register
class Future:
    """A call that is over: its result, or the exception that it raised.

    Parameters:
        value: what the call returned, or the exception.
        failed: whether `value` is the exception.
        item: the output of the call, None where none is kept.
        skipped: whether the output existed and the function did not run.
    """

    __slots__ = ("__weakref__", "_failed", "_skipped", "_value", "item")

    def __init__(
        self, value: Any, *, failed: bool = False, item: Item | None = None, skipped: bool = False
    ) -> None:
        self._value = value
        self._failed = failed
        self._skipped = skipped
        self.item = item

    @property
    def state(self) -> State:
        """How the call ended."""
        if self._failed:
            return State("FAILED", "Failed", self._value)
        return State("COMPLETED", "Cached" if self._skipped else "Completed", self._value)

    @property
    def _final_state(self) -> State:
        # Prefect's own `wait` and `as_completed` look here.
        return self.state

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return what the call returned.

        Parameters:
            timeout: taken for the sake of the other modes; the call is over.
            raise_on_failure: raise what the call raised, else return the exception.
        """
        if self._failed and raise_on_failure:
            raise self._value
        return self._value

    def wait(self, timeout: float | None = None) -> None:
        """Return at once: the call is over."""

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call `fn` with this future, at once: the call is over."""
        fn(self)

    def __repr__(self) -> str:
        return f"Future({self.state.name}, item={self.item!r})"


class SkippedFuture(Future):
    """A call whose output existed: one small object, as there may be very many.

    Parameters:
        store: where the output is kept.
        location: its path, URL or key there.
    """

    __slots__ = ("_location", "_store")
    _failed = False
    _skipped = True

    def __init__(self, store: Store, location: str) -> None:
        self._store = store
        self._location = location

    @property
    def item(self) -> Item:  # type: ignore[override]  # made when asked for
        """The output."""
        return Item(self._store, self._location)

    _value = item  # the result is the item


class FutureList(list[Any]):
    """The futures of a mapped task."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[Any]:
        """Return the results in the order of the calls; raise the first failure.

        Parameters:
            timeout: seconds to wait at most for each.
            raise_on_failure: raise what a call raised, else have the exception in its place.
        """
        return [future.result(timeout, raise_on_failure) for future in self]

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all calls are over, `timeout` seconds at most for each."""
        for future in self:
            future.wait(timeout)


class DoneAndNotDone(NamedTuple):
    """Two sets of futures: those that are over and those that are not."""

    done: set[Any]
    not_done: set[Any]


def state_result(state: Any) -> Any:
    """Return what the call of a state returned; raise what it raised."""
    # Inside an event loop Prefect's states give a coroutine, unless they are told not to.
    return state.result() if isinstance(state, State) else state.result(_sync=True)


def item_of(value: Any) -> Item | None:
    """Return the item that a value stands for: itself, or the output of a future's call."""
    if isinstance(value, Item):
        return value
    item = getattr(value, "item", None) if isinstance(value, AnyFuture) else None
    return item if isinstance(item, Item) else None

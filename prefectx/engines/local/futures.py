"""Futures of calls that have run without Prefect."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import cast

from prefectx.errors import WorkerError
from prefectx.futures import Future, LocalState, State
from prefectx.item import Item, Store
from prefectx.monitoring.failures import trim


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
            raise trim(cast(BaseException, self.value))
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

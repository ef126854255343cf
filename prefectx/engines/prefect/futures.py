"""The future of a call that was skipped; for Prefect it is one of its own futures."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

from prefect.client.schemas.objects import State, StateDetails
from prefect.futures import PrefectFuture, PrefectTaskRunFuture
from prefect.states import Completed

from prefectx import futures
from prefectx.calls import Outcome
from prefectx.item import Item, Store

futures.Future.register(PrefectFuture)  # type: ignore[type-abstract]


class SkippedFuture(PrefectTaskRunFuture[Item]):
    """The future of a call whose output existed; it has no task run and makes no requests.

    The id and the state are made on access.

    Parameters:
        store: where the output is kept.
        location: its path, URL or key there.
    """

    def __init__(self, store: Store, location: str) -> None:
        self._store = store
        self._location = location
        self._id: UUID | None = None
        self._state: State[object] | None = None

    @property
    def item(self) -> Item:
        """The output."""
        return Item(self._store, self._location)

    @property
    def task_run_id(self) -> UUID:
        """A random id, which the server does not know."""
        if self._id is None:
            self._id = uuid4()
        return self._id

    @property
    def _final_state(self) -> State[object]:  # type: ignore[override]  # made on access
        if self._state is None:
            self._state = cached_state(self.item, StateDetails(task_run_id=self.task_run_id))
        return self._state

    @property
    def state(self) -> State[object]:
        """The state of type COMPLETED, named Cached."""
        return self._final_state

    def wait(self, timeout: float | None = None) -> None:
        """Return at once: the call is over."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Item:
        """Return the item of the output."""
        return self.item

    def add_done_callback(self, fn: Callable[[PrefectFuture[Item]], None]) -> None:
        """Call `fn` at once: the call is over."""
        fn(self)

    def __repr__(self) -> str:
        return f"SkippedFuture({self.item!r})"


def cached_state(item: Item, details: StateDetails | None = None) -> State[object]:
    """Return the state of a call whose output existed."""
    state: State[object] = Completed(name="Cached", message=f"Found {item.location}", data=item)
    if details is not None:
        state.state_details = details
    return state


def saved_state(item: Item, outcome: Outcome) -> State[object]:
    """Return the state of a call that ran: its message names the output.

    A state that the function returned keeps its name and its message.
    """
    own = outcome.state
    if own is not None:
        return Completed(name=own.name, message=own.message, data=item)
    return Completed(message=f"Saved {item.location} after {outcome.seconds:.2f} s", data=item)


def seconds_of(state: futures.State[object]) -> float | None:
    """Return how long the run took, from the message of `saved_state`; None without one."""
    found = _SECONDS.search(state.message or "")
    return float(found[1]) if found else None


_SECONDS = re.compile(r"^Saved .* after (\d+\.\d\d) s$", re.DOTALL)

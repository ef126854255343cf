"""Who has which target in this process: no two different calls, and no call twice at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from prefectx.errors import TargetError
from prefectx.item import Item

if TYPE_CHECKING:
    from prefectx.call import Call


class Claim(NamedTuple):
    """The call that a target belongs to: its function, and its arguments in comparable form."""

    function: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        shown = (
            f"{name}={'…' if isinstance(value, bytes) else repr(value)[:60]}"
            for name, value in self.arguments.items()
        )
        return f"{self.function.rpartition(':')[2]}({', '.join(shown)})"


class Claims:
    """The targets of one process.

    A target belongs to the first call that fills it. It is free again when its output is gone
    and no run of that call is under way.
    """

    def __init__(self) -> None:
        self._owners: dict[Item, Claim] = {}
        self._running: dict[Item, Future[Any]] = {}
        self._submitted: dict[Item, Any] = {}
        self._lock = threading.Lock()

    def check(self, call: Call, claim: Claim) -> None:
        """Claim the target of `call`.

        Raises:
            TargetError: where it belongs to a different call.
        """
        assert call.item is not None
        owner = self._owners.setdefault(call.item, claim)
        if owner is claim or owner == claim:
            return
        if self._is_busy(call.item) or call.item.exists():
            raise TargetError(_collision(call, owner, claim))
        self._owners[call.item] = claim

    def _is_busy(self, item: Item) -> bool:
        return item in self._running or item in self._submitted

    def start(self, item: Item) -> tuple[Future[Any], bool]:
        """Take the turn to run the call of a target.

        Returns:
            The outcome of the run, and whether the caller is the one to run it; then it must
            set the outcome and call `finish`.
        """
        with self._lock:
            outcome = self._running.get(item)
            if outcome is not None:
                return outcome, False
            outcome = self._running[item] = Future()
            return outcome, True

    def finish(self, item: Item) -> None:
        """End the run that `start` began."""
        with self._lock:
            del self._running[item]

    def submitted(self, item: Item | None) -> Any:
        """Return the future of a call that was submitted and is not over, else None."""
        return None if item is None else self._submitted.get(item)

    def submit(self, item: Item, future: Any) -> None:
        """Remember the future of a submitted call until it is over."""
        self._submitted[item] = future
        future.add_done_callback(lambda _: self._submitted.pop(item, None))

    def clear(self) -> None:
        """Forget whom the targets belong to."""
        self._owners.clear()


def _collision(call: Call, owner: Claim, claim: Claim) -> str:
    target = f"two different calls fill the same target {call.item.location!r}"  # type: ignore[union-attr]
    both = f"{owner} and {claim}"
    if owner.function != claim.function:
        first, second = owner.function, claim.function
        return (
            f"{target}: {both}, of the functions {first} and {second}; give one of them another"
            " target, or another name"
        )
    different = [
        name for name in claim.arguments if owner.arguments.get(name) != claim.arguments[name]
    ]
    lacking = ", ".join(f"{{{name}}}" for name in different) or "an argument"
    return (
        f"{target}: {both}; its template {call.options.target!r} lacks {lacking}: add it, or set"
        " shared = true where one output for both is what you want"
    )


CLAIMS = Claims()

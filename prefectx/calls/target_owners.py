"""Who has which target in this process: no two different calls, and no call twice at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, TypeAlias

from prefectx.errors import TargetError
from prefectx.item import Item, Store
from prefectx.targets.template import Template

# The function with the names of its parameters, and the values: atoms as they are, of others a
# print.
Claim: TypeAlias = tuple[tuple[str, tuple[str, ...]], tuple[Any, ...]]


class Claims:
    """The targets of one process.

    A target belongs to the first call that fills it. It is free again when its output is gone
    and no run of that call is under way.
    """

    def __init__(self) -> None:
        self._owners: dict[Store, dict[str, Claim]] = {}
        self._running: dict[Item, Future[Any] | None] = {}
        self._submitted: dict[Item, Any] = {}
        self._lock = threading.Lock()

    def owners(self, store: Store) -> dict[str, Claim]:
        """Return whom the targets in a store belong to, by their locations."""
        return self._owners.setdefault(store, {})

    def check(self, item: Item, claim: Claim, template: Template) -> None:
        """Claim a target for a call.

        Parameters:
            item: the target.
            claim: the function (`package.module:function`) with the names of its parameters, and
                the values: atoms as they are, of all others a print.
            template: the target's template, for the error.

        Raises:
            TargetError: where the target belongs to a different call.
        """
        owners = self.owners(item.store)
        owner = owners.setdefault(item.location, claim)
        # Not a number is not equal to itself, but the same argument.
        if owner is claim or owner == claim or repr(owner) == repr(claim):
            return
        if self._is_busy(item) or item.exists():
            raise TargetError(_collision(item, owner, claim, template))
        owners[item.location] = claim

    def _is_busy(self, item: Item) -> bool:
        return item in self._running or item in self._submitted

    def start(self, item: Item) -> Future[Any] | None:
        """Take the turn to run the call of a target.

        Returns:
            None: it is the caller's turn, who must call `finish`. Else what is to have the
            outcome of the run that is under way.
        """
        with self._lock:
            if item not in self._running:
                self._running[item] = None
                return None
            # Made when somebody waits: that is seldom, and a future is dear.
            outcome = self._running[item] = self._running[item] or Future()
            return outcome

    def finish(self, item: Item, outcome: Any, error: BaseException | None = None) -> None:
        """End the run that `start` began, and tell those who wait for it.

        Parameters:
            item: the target.
            outcome: what the run came to.
            error: what it failed with.
        """
        with self._lock:
            waiting = self._running.pop(item)
        if waiting is not None and error is not None:
            waiting.set_exception(error)
        elif waiting is not None:
            waiting.set_result(outcome)

    def submitted(self, item: Item | None) -> Any:
        """Return the future of a call that was submitted and is not over, else None."""
        return None if item is None else self._submitted.get(item)

    def submit(self, item: Item, future: Any) -> None:
        """Remember the future of a submitted call until it is over."""
        self._submitted[item] = future
        future.add_done_callback(lambda _: self._submitted.pop(item, None))

    def clear(self) -> None:
        """Forget whom the targets belong to."""
        for owners in self._owners.values():
            owners.clear()


def _collision(item: Item, owner: Claim, claim: Claim, template: Template) -> str:
    (other, _), (function, _) = owner[0], claim[0]
    before, now = _arguments(owner), _arguments(claim)
    wrong = (
        f"two different calls fill the same target {item.location!r}:"
        f" {_words(other, before)} and {_words(function, now)}"
    )
    if other != function:
        return (
            f"{wrong}, of the functions {other} and {function}; give one of them another"
            " target, or another name"
        )
    different = [name for name in now if before.get(name) != now[name]]
    lacking = ", ".join(f"{{{name}}}" for name in different) or "an argument"
    return (
        f"{wrong}; its template {template.text!r} lacks {lacking}: add it, or set shared = true"
        " where one output for both is what you want"
    )


def _arguments(claim: Claim) -> dict[str, Any]:
    (_, names), values = claim
    return dict(zip(names, values, strict=True))


def _words(function: str, arguments: dict[str, Any]) -> str:
    shown = (
        f"{name}={'…' if isinstance(value, bytes) else repr(value)[:60]}"
        for name, value in arguments.items()
    )
    return f"{function.rpartition(':')[2]}({', '.join(shown)})"


CLAIMS = Claims()

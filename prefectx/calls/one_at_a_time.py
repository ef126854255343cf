"""Turns: the same call is run once at a time; what the task whose turn it is may ask."""

from __future__ import annotations

from concurrent.futures import Future
from contextvars import ContextVar, Token
from typing import Any, TypeVar

from prefectx.calls.target_owners import CLAIMS
from prefectx.errors import TargetError
from prefectx.item import Item

T = TypeVar("T")

_active: ContextVar[tuple[Item | None, ...]] = ContextVar("prefectx_active", default=())


class Turn:
    """The run of a call, as a context; who comes meanwhile with the same call waits for it.

    Parameters:
        item: the output of the call, None where none is kept.
        task: the name of the task, for the error.

    Attributes:
        running: the outcome of the same call, which another is running; None where it is not.

    Raises:
        TargetError: where a call is made by itself.
    """

    __slots__ = ("_item", "_outcome", "_task", "_token", "running")

    def __init__(self, item: Item | None, task: str) -> None:
        self._item = item
        self._task = task
        self._token: Token[Any] | None = None
        self.running: Future[Any] | None = None
        self._outcome: Any = None

    def __enter__(self) -> Turn:
        item, active = self._item, _active.get()
        self.running = None if item is None else CLAIMS.start(item)
        if self.running is None:
            self._token = _active.set((*active, item))
        elif item in active:
            raise TargetError(f"task {self._task!r} calls itself with the same arguments")
        return self

    def end(self, outcome: T) -> T:
        """Return what the call came to, for those who wait too."""
        self._outcome = outcome
        return outcome

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._token is not None:
            _active.reset(self._token)
            if self._item is not None:
                CLAIMS.finish(self._item, self._outcome, error)


def current_target() -> Item:
    """Return the item to write to, inside a task that saves its own output.

    Raises:
        TargetError: outside a task, and in one whose output is not kept.
    """
    item = _active.get()[-1] if _active.get() else None
    if item is None:
        raise TargetError(
            "there is no current target: it is there inside a task that has one, in the caching"
            " modes"
        )
    return item

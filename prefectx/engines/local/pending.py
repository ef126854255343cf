"""The future of a call on a runner."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from prefectx.engines.local.futures import OverFuture
from prefectx.futures import Future, LocalState
from prefectx.item import Item

_log = logging.getLogger("prefectx.runner")

# One for all: it is held for a few instructions, and a lock in each future would be large.
_LOCK = threading.Lock()


class PendingFuture(Future[object]):
    """A call on a runner, from when it is submitted.

    Parameters:
        item: the output of the call, None if none is kept.
        task: the name of its task.

    Attributes:
        run_here: runs the call in the present thread, for a worker that waits for a call which has
            not begun: it would else keep its own thread from it. None if there is no such way.
    """

    __slots__ = (
        "__weakref__", "_begun", "_callbacks", "_over", "_task", "_waiting", "item", "run_here",
    )  # fmt: skip

    def __init__(self, item: Item[object] | None, task: str) -> None:
        self.item = item
        self.run_here: Callable[[], None] | None = None
        self._task = task
        self._begun = False
        self._over: OverFuture | None = None
        self._callbacks: list[Callable[[Future[object]], object]] | None = None
        self._waiting: threading.Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether the call is over."""
        return self._over is not None

    @property
    def state(self) -> LocalState:  # type: ignore[override]  # made on access
        """The state of the call."""
        if self._over is not None:
            return self._over.state
        kind = "RUNNING" if self._begun else "PENDING"
        return LocalState(kind, kind.capitalize(), None)

    _final_state = OverFuture._final_state

    def begin(self) -> bool:
        """Claim the run of the call; of several threads one gets it."""
        with _LOCK:
            is_first, self._begun = not self._begun, True
        return is_first

    def end(self, over: OverFuture) -> None:
        """Give the call its end, and tell those who wait."""
        with _LOCK:
            if self._over is not None:
                return
            self._over = over
            callbacks, waiting = self._callbacks, self._waiting
            self._callbacks = self._waiting = self.run_here = None
        if waiting is not None:
            waiting.set()
        for callback in callbacks or ():
            self._tell(callback)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> object:
        """Return what the call returned; raise (or return) what it raised.

        Parameters:
            timeout: seconds to wait at most, None for no limit.
            raise_on_failure: raise what the call raised, else return the exception.

        Raises:
            TimeoutError: if the call is not over in time.
            WorkerError: if its worker died.
        """
        self.wait(timeout)
        if self._over is None:
            raise TimeoutError(f"the call of task {self._task!r} is not over after {timeout} s")
        return self._over.result(raise_on_failure=raise_on_failure)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the call is over, `timeout` seconds at most."""
        if self._over is None and self.run_here is not None:
            self.run_here()
        with _LOCK:
            if self._over is not None:
                return
            waiting = self._waiting = self._waiting or threading.Event()
        waiting.wait(timeout)

    def add_done_callback(self, fn: Callable[[Future[object]], object]) -> None:
        """Call `fn` with this future when the call is over, at once if it is."""
        with _LOCK:
            if self._over is None:
                self._callbacks = [*(self._callbacks or ()), fn]
                return
        self._tell(fn)

    def _tell(self, fn: Callable[[Future[object]], object]) -> None:
        try:
            fn(self)
        except Exception:
            _log.exception("Task %r: a callback of its future failed", self._task)

    def __reduce__(self) -> tuple[Callable[[OverFuture], OverFuture], tuple[OverFuture | None]]:
        # What is sent elsewhere cannot hear of the end: it waits here.
        self.wait()
        return _unchanged, (self._over,)

    def __repr__(self) -> str:
        return f"Future({self.state.name}, item={self.item!r})"


def _unchanged(over: OverFuture) -> OverFuture:
    return over

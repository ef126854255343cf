"""The future of a call on a runner."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence

from prefectx.engines.local.futures import OverFuture
from prefectx.futures import Future, LocalState
from prefectx.item import Item

_log = logging.getLogger("prefectx.runner")

# One for all: it is held for a few instructions, and a lock in each future would be large.
_LOCK = threading.Lock()
# Seconds after which a worker that waits looks again for calls to run.
_A_MOMENT = 0.05


class PendingFuture(Future[object]):
    """A call on a runner, from when it is submitted.

    A worker that waits for calls which have not begun runs them itself: it would else keep its own
    thread from them.

    Parameters:
        item: the output of the call, None if none is kept.
        task: the name of its task.
        is_worker: tells whether the present thread is a worker of the runner.
        needs: the futures of calls that are to be over first.

    Attributes:
        is_worker: tells whether the present thread is a worker of the runner.
        run_here: runs the call in the present thread unless it has begun, and tells whether it
            did; None until the call is handed to the runner.
    """

    __slots__ = (
        "__weakref__", "_begun", "_callbacks", "_needs", "_over", "_task", "_waiting",
        "is_worker", "item", "run_here",
    )  # fmt: skip

    def __init__(
        self,
        item: Item[object] | None,
        task: str,
        is_worker: Callable[[], bool],
        needs: Sequence[Future[object]] = (),
    ) -> None:
        self.item = item
        self.run_here: Callable[[], bool] | None = None
        self.is_worker = is_worker
        self._needs = needs
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
            self._needs = ()
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
        if self._over is None and self.is_worker():
            end = math.inf if timeout is None else time.monotonic() + timeout
            while self._over is None and time.monotonic() < end:
                self._first_to_end()._run_or_wait(_A_MOMENT)
        else:
            self._wait(timeout)

    def _first_to_end(self) -> PendingFuture:
        """Return the call itself, or one that has to be over first and waits for no other."""
        found: Future[object] | None = self
        while isinstance(found, PendingFuture):
            last = found
            found = next(filter(_is_pending, last._needs), None)
        return last

    def _run_or_wait(self, seconds: float) -> None:
        if self.run_here is None or not self.run_here():
            self._wait(seconds)

    def _wait(self, seconds: float | None) -> None:
        with _LOCK:
            if self._over is not None:
                return
            waiting = self._waiting = self._waiting or threading.Event()
        waiting.wait(seconds)

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


def _is_pending(future: Future[object]) -> bool:
    return isinstance(future, PendingFuture) and not future.is_over

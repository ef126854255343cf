"""Giving memory that Python has freed back to the system.

The C library keeps what was freed for later use. A worker that has run one large task therefore
looks full to whoever watches it, and is paused or killed for memory that nobody uses.
"""

from __future__ import annotations

import functools
import mmap
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefectx.monitoring.hooks import ObservedCall, Subscriber

GROWTH = 64 * 2**20
"""Bytes by which a process grows before its memory is looked through."""

# Seconds in which no process takes that much, so that short tasks need not look each time.
_PAUSE = 0.001


class Trimmer:
    """Decides when a process gives memory back.

    Giving back and taking again costs page faults, so it is done on growth only: since the last
    time, or, as other running tasks may have held their memory then, since the last time that
    no task was running.

    Parameters:
        resident: tells the resident memory of the process in bytes.
        release: gives back what can be given.
        growth: bytes by which the process must have grown.
        pause: seconds after a look in which there is none.
    """

    def __init__(
        self,
        resident: Callable[[], int],
        release: Callable[[], None],
        growth: int = GROWTH,
        pause: float = 0.0,
    ) -> None:
        self._resident = resident
        self._release = release
        self._growth = growth
        self._pause = pause
        self._looked = 0.0
        self._lock = threading.Lock()
        self._running = 0
        self._after_last = 0
        self._after_idle = 0

    def begin(self) -> None:
        """Note that a task starts."""
        with self._lock:
            if not self._after_idle:
                self._after_last = self._after_idle = self._resident()
            self._running += 1

    def end(self) -> None:
        """Note that a task has ended and dropped its data; give memory back if there is enough."""
        with self._lock:
            self._running -= 1
            now = time.monotonic()
            if now - self._looked < self._pause:
                return
            self._looked = now
            idle = not self._running
            # What has shrunk by itself is the new measure: growth counts from there.
            resident = self._resident()
            self._after_last = min(self._after_last, resident)
            since = min(self._after_last, self._after_idle) if idle else self._after_last
            if resident - since <= self._growth:
                return
            self._release()
            self._after_last = self._resident()
            if idle:
                self._after_idle = self._after_last


class Memory(Subscriber):
    """Gives memory back after calls, if the process has grown by enough.

    Does nothing if the C library has no such call.
    """

    def before_call(self, call: ObservedCall) -> None:
        """Note that a call starts."""
        if call.options.dask.trim and (trimmer := _trimmer()) is not None:
            trimmer.begin()

    def after_call(self, call: ObservedCall) -> None:
        """Give memory back: the call's data are dropped by now."""
        if call.options.dask.trim and (trimmer := _trimmer()) is not None:
            trimmer.end()

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Give memory back after a failure, too."""
        self.after_call(call)


@contextmanager
def trimming(wanted: bool = True) -> Iterator[None]:
    """Give memory back after the block, if the process has grown by enough.

    The block must leave no data behind in variables of its function: let it call a function that
    holds them.

    Parameters:
        wanted: false: the block is just run.
    """
    trimmer = _trimmer() if wanted else None
    if trimmer is None:
        yield
        return
    trimmer.begin()
    try:
        yield
    finally:
        trimmer.end()


def give_back() -> None:
    """Give memory back now: something large is over.

    Does nothing if the C library has no such call.
    """
    malloc_trim = _malloc_trim()
    if malloc_trim is not None:
        _release_arrow()
        malloc_trim(0)


@functools.cache
def _trimmer() -> Trimmer | None:
    return Trimmer(_resident, give_back, pause=_PAUSE) if _malloc_trim() else None


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


def _release_arrow() -> None:
    # Arrow has an allocator of its own, whose call covers the calling thread only.
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()


def _resident() -> int:
    # Asked after every call, so without what pathlib and buffers cost.
    with open("/proc/self/statm", "rb", buffering=0) as stream:  # noqa: PTH123
        return int(stream.read().split()[1]) * mmap.PAGESIZE

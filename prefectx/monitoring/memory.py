"""Returns memory that Python has freed to the system.

The C library keeps freed memory for later use. After one large task a worker therefore looks full,
and may be paused or killed for memory that nothing uses.
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
"""Bytes by which a process must grow before its memory is trimmed."""

# Too short to grow by that much: so the end of a short task does not look each time.
_PAUSE = 0.001


class Trimmer:
    """Decides when a process returns memory.

    To return memory and take it again costs page faults, so it is done only if the process has
    grown since the last time, or since the last time that no task was running (before that, other
    tasks may have held their memory).

    Parameters:
        resident: returns the resident memory of the process in bytes.
        release: returns memory to the system.
        growth: bytes by which the process must have grown.
        pause: seconds between two measurements, at least.
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
        """Note that a task has ended and dropped its data; release memory if it grew enough."""
        with self._lock:
            self._running -= 1
            now = time.monotonic()
            if now - self._looked < self._pause:
                return
            self._looked = now
            idle = not self._running
            # Growth counts from the smallest size since the last release.
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
    """Returns memory after calls, if the process has grown by enough.

    Does nothing if the C library has no function for it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget how large the process was; no call may be running."""
        self._trimmer = Trimmer(_resident, give_back, pause=_PAUSE)

    @property
    def trimmer(self) -> Trimmer | None:
        """The trimmer of this process, None if the C library has no function for it."""
        return self._trimmer if _malloc_trim() else None

    def before_call(self, call: ObservedCall) -> None:
        """Note that a call starts."""
        if call.options.dask.trim and (trimmer := self.trimmer) is not None:
            trimmer.begin()

    def after_call(self, call: ObservedCall) -> None:
        """Return memory: the data of the call are dropped by now."""
        if call.options.dask.trim and (trimmer := self.trimmer) is not None:
            trimmer.end()

    def call_failed(self, call: ObservedCall, error: BaseException) -> None:
        """Return memory after a failure, too."""
        self.after_call(call)


@contextmanager
def trimming(wanted: bool = True) -> Iterator[None]:
    """Return memory after the block, if the process has grown by enough.

    Variables of the function that contains the block still hold their data then: hold large data
    in a function that the block calls.

    Parameters:
        wanted: whether to return memory at all.
    """
    trimmer = MEMORY.trimmer if wanted else None
    if trimmer is None:
        yield
        return
    trimmer.begin()
    try:
        yield
    finally:
        trimmer.end()


def give_back() -> None:
    """Return memory now, after something large has ended.

    Does nothing if the C library has no function for it.
    """
    malloc_trim = _malloc_trim()
    if malloc_trim is not None:
        # Arrow has its own allocator. Its function covers only the calling thread.
        arrow = sys.modules.get("pyarrow")
        if arrow is not None:
            arrow.default_memory_pool().release_unused()
        malloc_trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


def _resident() -> int:
    # Called after every call, so without the cost of pathlib and buffers.
    with open("/proc/self/statm", "rb", buffering=0) as stream:  # noqa: PTH123
        return int(stream.read().split()[1]) * mmap.PAGESIZE


MEMORY = Memory()

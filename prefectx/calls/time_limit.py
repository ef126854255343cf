"""Stops code that takes too long, in any thread."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def time_limit(seconds: float | None, what: str) -> Iterator[None]:
    """Raise in the block when it takes longer than it may.

    In the main thread a signal interrupts also what waits in the system; elsewhere the exception
    comes when the thread next runs Python code.

    Parameters:
        seconds: the limit, None for no limit.
        what: what takes so long, for the error.

    Raises:
        TimeoutError: in the block.
    """
    if not seconds:
        yield
        return
    has_signals = (
        threading.current_thread() is threading.main_thread()
        and hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, signal.SIG_IGN, None)
    )
    try:
        with (_alarm if has_signals else _watched)(seconds):
            yield
    except _OutOfTime:
        raise TimeoutError(f"{what} took longer than {seconds} s") from None


class _OutOfTime(BaseException):
    """Passes the function's own handlers of exceptions."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    lock, is_over = threading.Lock(), False
    thread = ctypes.c_ulong(threading.get_ident())

    def stop() -> None:
        with lock:
            if not is_over:
                kind = ctypes.py_object(_OutOfTime)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, kind)

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            is_over = True

"""Lets a program that is told to end (SIGTERM) end as after Ctrl-C: workers stop, nothing stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What a shell reports for a program that the signal has ended.
_STATUS = 128 + signal.SIGTERM
_INTERVAL = 1.0


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Raise SystemExit in the block on SIGTERM, unless the program handles the signal itself.

    A second signal ends the program at once.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise SystemExit(_STATUS)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_with_parent(parent: int) -> None:
    """End this process soon after its parent, also if that was killed.

    Parameters:
        parent: the parent's process id; it may have been killed already.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_INTERVAL)
        os._exit(1)

    threading.Thread(target=watch, name="prefectx parent", daemon=True).start()

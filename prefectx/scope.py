"""A value that holds inside a `with` block, also for the threads that the block starts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")


class Scoped(Generic[T]):
    """A value that is set for the length of a `with` block; blocks nest, the innermost wins.

    Threads and asyncio tasks do not disturb each other: each sees what it set itself, or what
    was set where it was started. A thread that was started without a context (in a pool, say)
    sees what the main thread has set outside any event loop.

    Parameters:
        name: a name for debugging.

    Attributes:
        here: the value that was set by or for this thread and asyncio task, or None.
        everywhere: the value that the others see, or None.
    """

    def __init__(self, name: str) -> None:
        self.here: ContextVar[T | None] = ContextVar(name, default=None)
        self.everywhere: T | None = None

    @contextmanager
    def set(self, value: T) -> Iterator[T]:
        """Make `value` hold inside the block.

        Parameters:
            value: anything but None.

        Returns:
            A context manager that gives the value.
        """
        # No tokens: the two ends of an async fixture run in different contexts, and there
        # ContextVar.reset() refuses its token.
        here, everywhere = self.here.get(), self.everywhere
        for_all = _in_main_thread_outside_loop()
        self.here.set(value)
        if for_all:
            self.everywhere = value
        try:
            yield value
        finally:
            self.here.set(here)
            if for_all:
                self.everywhere = everywhere


def _in_main_thread_outside_loop() -> bool:
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False

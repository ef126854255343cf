"""A value that is set inside a `with` block, also for threads started there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

from prefectx.event_loops import is_in_loop

T = TypeVar("T")


class Scoped(Generic[T]):
    """A value that is set for the length of a `with` block; blocks nest, and the inner one wins.

    Threads and asyncio tasks are independent: each sees its own value, or the one that was set
    when it was started. A thread without a context, for example in a pool, sees the value that
    the main thread has set outside of event loops.

    Parameters:
        name: a name for debugging.

    Attributes:
        here: the value of this thread or asyncio task, or None.
        everywhere: the value for threads and tasks without their own, or None.
    """

    def __init__(self, name: str) -> None:
        self.here: ContextVar[T | None] = ContextVar(name, default=None)
        self.everywhere: T | None = None

    @contextmanager
    def set(self, value: T) -> Iterator[T]:
        """Set the value inside the block.

        Parameters:
            value: anything but None.

        Returns:
            A context manager that returns the value.
        """
        # Not ContextVar.reset(): it refuses a token from another context, and the two ends of
        # an async fixture run in different contexts.
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
    return threading.current_thread() is threading.main_thread() and not is_in_loop()

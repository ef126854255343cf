"""A value that is set inside a `with` block, also for threads started there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Generic, NamedTuple, TypeVar

from prefectx.event_loops import is_in_loop

T = TypeVar("T")


class _Block(Generic[T]):
    """An open block: makes its value of the one around it. Two blocks are never equal."""

    def __init__(self, make: Callable[[T | None], T], around: T | None) -> None:
        self._make = make
        self.value = make(around)

    def renew(self, around: T | None) -> None:
        """Make the value again."""
        self.value = self._make(around)


class _Open(NamedTuple, Generic[T]):
    """The open blocks of a thread or asyncio task.

    Attributes:
        base: the value outside of all blocks.
        blocks: from the outermost to the innermost.
    """

    base: T | None = None
    blocks: tuple[_Block[T], ...] = ()

    @property
    def value(self) -> T | None:
        """The value of the innermost block."""
        return self.blocks[-1].value if self.blocks else self.base

    def within(self, block: _Block[T], base: T | None) -> _Open[T]:
        """Return the blocks with one more; `base` is the value outside if it is the first."""
        return _Open(self.base if self.blocks else base, (*self.blocks, block))

    def without(self, block: _Block[T], fallback: T | None = None) -> _Open[T]:
        """Return the blocks that are left when one has ended; those inside it are made anew.

        Parameters:
            block: the one that has ended.
            fallback: what is around the outermost block if it has no `base`.
        """
        index = self.blocks.index(block)
        left = _Open(self.base, self.blocks[:index])
        for inner in self.blocks[index + 1 :]:
            inner.renew(fallback if left.value is None else left.value)
            left = left._replace(blocks=(*left.blocks, inner))
        return left


class Scoped(Generic[T]):
    """A value that is set for the length of a `with` block; blocks nest, and the inner one wins.

    Threads and asyncio tasks are independent: each sees its own value, or the one that was set
    when it was started. A thread without a context, for example in a pool, sees the value that
    the main thread has set outside of event loops. Blocks may end in any order, as those of
    fixtures and generators do: what is left is as if the one that ended had never been.

    Parameters:
        name: a name for debugging.

    Attributes:
        here: the value of this thread or asyncio task, or None.
        everywhere: the value for threads and tasks without their own, or None.
    """

    def __init__(self, name: str) -> None:
        self.here: ContextVar[T | None] = ContextVar(name, default=None)
        self.everywhere: T | None = None
        self._open_here: ContextVar[_Open[T]] = ContextVar(f"{name} here", default=_Open())  # noqa: B039  # cannot be changed
        self._open_everywhere: _Open[T] = _Open()

    def set(self, value: T) -> AbstractContextManager[T]:
        """Set the value inside a block.

        Parameters:
            value: anything but None.

        Returns:
            A context manager that returns the value.
        """
        return self.change(lambda _: value)

    @contextmanager
    def change(self, make: Callable[[T | None], T]) -> Iterator[T]:
        """Change the value inside the block.

        Parameters:
            make: returns the value of the block; receives the value around it, None if there is
                none. It is called again if a block around it ends first.

        Returns:
            A context manager that returns the value.
        """
        here, everywhere = self.here.get(), self.everywhere
        block = _Block(make, everywhere if here is None else here)
        for_all = _in_main_thread_outside_loop()
        # Not ContextVar.reset(): it refuses a token from another context, and the two ends of
        # an async fixture run in different contexts.
        self._change_here(self._open_here.get().within(block, here))
        if for_all:
            self._change_everywhere(self._open_everywhere.within(block, everywhere))
        try:
            yield block.value
        finally:
            if for_all:
                self._change_everywhere(self._open_everywhere.without(block))
            if block in self._open_here.get().blocks:
                fallback = None if for_all else self.everywhere
                self._change_here(self._open_here.get().without(block, fallback))

    def _change_here(self, blocks: _Open[T]) -> None:
        self._open_here.set(blocks)
        self.here.set(blocks.value)

    def _change_everywhere(self, blocks: _Open[T]) -> None:
        self._open_everywhere = blocks
        self.everywhere = blocks.value


def _in_main_thread_outside_loop() -> bool:
    return threading.current_thread() is threading.main_thread() and not is_in_loop()

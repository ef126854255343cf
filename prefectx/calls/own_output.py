"""Outputs that a function saves itself: it writes aside, and what it wrote is moved into place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from prefectx.calls.one_at_a_time import ACTIVE
from prefectx.errors import TargetError
from prefectx.item import Item, Store

R_co = TypeVar("R_co", covariant=True)
_writing: ContextVar[Item[object] | None] = ContextVar("prefectx_writing", default=None)


class AsideItem(Item[R_co]):
    """The item to write to, inside a function that saves its own output.

    Parameters:
        store: where the output will be kept.
        location: where to write it.
        final: the item of the output.
    """

    __slots__ = ("_final",)

    def __init__(self, store: Store, location: str, final: Item[R_co]) -> None:
        super().__init__(store, location)
        self._final = final

    @property
    def final(self) -> Item[R_co]:
        """The output that exists, for functions that continue one."""
        return self._final

    def __reduce__(self) -> tuple[type[Item[R_co]], tuple[object, ...]]:
        return self._final.__reduce__()


@contextmanager
def written(item: Item[object] | None) -> Iterator[None]:
    """Let the function that runs in the block write its output itself.

    It writes aside; only if it returns, this becomes the output.
    """
    if item is None:
        yield
        return
    with item.store.aside(item.location) as location:
        aside = item if location == item.location else AsideItem(item.store, location, item)
        token = _writing.set(aside)
        try:
            yield
        finally:
            _writing.reset(token)


def current_target() -> Item[Any]:
    """Return the item to write to, inside a task that saves its own output (`save = false`).

    It lies in a temporary folder beside the target, under its final name. What the function
    writes there becomes the output when it has returned; what else it writes in that folder moves
    along. `current_target().final` is the output that exists.

    Raises:
        TargetError: outside a task, and in one whose output is not kept.
    """
    active, item = ACTIVE.get(), _writing.get()
    if item is None and active:
        item = active[-1]
    if item is None:
        raise TargetError(
            "there is no current target: only a task with a target has one, in the caching modes"
        )
    return item

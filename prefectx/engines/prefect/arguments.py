"""Converts arguments for Prefect: our marks become Prefect's, finished calls their items."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from prefect.futures import PrefectFuture
from prefect.utilities import annotations as stock

from prefectx.arguments.marks import Mark, allow_failure, is_annotated, is_marked, quote, unmapped
from prefectx.arguments.traversal import replace
from prefectx.engines.local.futures import OverFuture
from prefectx.engines.prefect.futures import SkippedFuture
from prefectx.engines.protocol import WaitFor
from prefectx.futures import Future

_MARKS: tuple[tuple[type[Mark[object]], Callable[[object], object]], ...] = (
    (unmapped, stock.unmapped),
    (allow_failure, stock.allow_failure),
    (quote, stock.quote),
)


def for_prefect(value: object) -> object:
    """Replace our marks and the futures of finished calls in nested arguments."""
    return replace(value, _for_prefect)


def waited_for(wait_for: WaitFor) -> list[PrefectFuture[object]] | None:
    """Return the futures that Prefect has to wait for, None if there are none."""
    if wait_for is None:
        return None
    futures = [wait_for] if isinstance(wait_for, Future) else list(wait_for)
    pending = [f for f in futures if not isinstance(f, (SkippedFuture, OverFuture))]
    return cast(list[PrefectFuture[object]], pending) or None


def _for_prefect(value: object) -> object:
    if isinstance(value, SkippedFuture):
        return value.item
    if isinstance(value, OverFuture):
        return value.result() if value.item is None else value.item
    if not is_annotated(value):
        return value
    inner = for_prefect(value.unwrap())
    for ours, theirs in _MARKS:
        if is_marked(value, ours):
            return theirs(inner)
    return value.rewrap(inner)

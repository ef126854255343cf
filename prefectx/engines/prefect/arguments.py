"""Arguments on their way to Prefect: our marks become Prefect's, finished calls their items."""

from __future__ import annotations

from typing import Any

from prefect.utilities import annotations as stock

from prefectx.arguments.marks import allow_failure, is_annotated, is_marked, quote, unmapped
from prefectx.arguments.traversal import replace
from prefectx.engines.local.futures import OverFuture
from prefectx.engines.prefect.futures import SkippedFuture
from prefectx.futures import Future, item_of

_MARKS: tuple[tuple[Any, Any], ...] = (
    (unmapped, stock.unmapped),
    (allow_failure, stock.allow_failure),
    (quote, stock.quote),
)


def for_prefect(value: Any) -> Any:
    """Replace what Prefect does not know, or need not see, in nested arguments."""
    return replace(value, _for_prefect)


def waited_for(wait_for: Any) -> list[Any] | None:
    """Return the futures that Prefect has to wait for, None where there are none."""
    if wait_for is None:
        return None
    futures = [wait_for] if isinstance(wait_for, Future) else list(wait_for)
    return [f for f in futures if not isinstance(f, (SkippedFuture, OverFuture))] or None


def hold_items(values: Any) -> bool:
    """Tell whether items, or futures that stand for items, are among nested arguments."""
    found: list[Any] = []

    def look(value: Any) -> Any:
        if is_annotated(value):
            replace(value.unwrap(), look)
            return None
        if item_of(value) is not None:
            found.append(value)
        return value

    replace(values, look)
    return bool(found)


def _for_prefect(value: Any) -> Any:
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

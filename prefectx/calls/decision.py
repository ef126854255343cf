"""The one decision: whether a call is skipped or runs, and why.

`look` asks the stores, `decide` is the rule. Both are applied where a call is made, again when
inputs that it waited for are over, and once more under the lock, just before the function runs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.errors import CorruptItemError, StoreError
from prefectx.futures import Future
from prefectx.item import Item, Store
from prefectx.monitoring.hooks import ObservedCall

_log = logging.getLogger("prefectx.calls")

Reason = Literal["not kept", "refresh", "missing", "expired", "unreadable", "redefined"]


class Skip(NamedTuple):
    """The call is finished: its output exists."""

    item: Item[object]


class Run(NamedTuple):
    """The function has to run, for a reason; `unreadable` needs `on_corrupt = "rerun"`."""

    reason: Reason


MISSING = Run("missing")


class Wait(NamedTuple):
    """The output is missing and inputs are not over: decide again when they are."""

    inputs: tuple[Future[object], ...]


Decision = Skip | Run | Wait


class Facts(NamedTuple):
    """What is known of a call."""

    item: Item[object] | None  # the output to look for, None if the call keeps none
    refresh: bool = False  # the function is to run though the output exists
    exists: bool = False
    doubt: Reason | None = None  # why an output that exists does not count
    inputs: tuple[Future[object], ...] = ()  # futures among the arguments


def decide(facts: Facts) -> Decision:
    """Decide whether a call is skipped or runs. This is the only rule."""
    if facts.item is None:
        return Run("not kept")
    if facts.refresh:
        return Run("refresh")
    if facts.exists:
        return Run(facts.doubt) if facts.doubt else Skip(facts.item)
    return Wait(facts.inputs) if facts.inputs else MISSING


def look(calls: Sequence[ObservedCall]) -> list[Facts]:
    """Ask the stores whether outputs exist: each store once, for all calls.

    Raises:
        StoreError: if a store cannot tell; it names the task.
    """
    wanted: dict[Store, list[str]] = {}
    for call in calls:
        if call.item is not None and call.mode.keeps and not call.options.refresh:
            wanted.setdefault(call.item.store, []).append(call.item.location)
    try:
        found = {
            store: store.exists_many(locations)
            if len(locations) > 1
            else {location for location in locations if store.exists(location)}
            for store, locations in wanted.items()
        }
    except StoreError as error:
        raise type(error)(f"task {calls[0].task.name!r}: {error}") from error
    return [_facts(call, found) for call in calls]


def _facts(call: ObservedCall, found: dict[Store, set[str]]) -> Facts:
    item = call.item
    if item is None or not call.mode.keeps:
        return Facts(None)
    if call.options.refresh:
        return Facts(item, refresh=True)
    exists = item.location in found[item.store]
    return Facts(
        item, exists=exists, doubt=_doubt(call, item) if exists else None, inputs=call.inputs
    )


def _doubt(call: ObservedCall, item: Item[object]) -> Reason | None:
    if call.version is not None and REDEFINITIONS.is_outdated(item, call.version):
        return "redefined"
    if call.options.max_age is not None:
        saved = item.info().saved
        if saved is not None and (datetime.now(UTC) - saved).total_seconds() > call.options.max_age:
            return "expired"
    if call.options.on_corrupt == "rerun":
        try:
            item.load()
        except CorruptItemError as error:
            _log.warning("Task %r runs again: %s", call.task.name, error)
            return "unreadable"
    return None

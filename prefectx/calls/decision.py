"""The one decision: whether a call is skipped or runs, and why.

`look` asks the stores, `decide` is the rule. Both are applied where a call is made, again when
inputs that it waited for are over, and once more under the lock, just before the function runs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, NamedTuple

from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.errors import CorruptItemError, StoreError
from prefectx.futures import Future
from prefectx.item import Item, Store
from prefectx.monitoring.hooks import ObservedCall

_log = logging.getLogger("prefectx.calls")

Reason = Literal["not kept", "refresh", "missing", "unreadable", "redefined"]


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
    is_readable: bool = True  # false only if the output was read, and could not be
    is_redefined: bool = False  # an older version of the function had the output
    inputs: tuple[Future[object], ...] = ()  # futures among the arguments


def decide(facts: Facts) -> Decision:
    """Decide whether a call is skipped or runs. This is the only rule."""
    if facts.item is None:
        return Run("not kept")
    if facts.refresh:
        return Run("refresh")
    if facts.exists and facts.is_readable and not facts.is_redefined:
        return Skip(facts.item)
    if facts.inputs:
        return Wait(facts.inputs)
    if not facts.exists:
        return MISSING
    return Run("redefined" if facts.is_redefined else "unreadable")


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
    is_readable = True
    if exists and call.options.on_corrupt == "rerun":
        try:
            item.load()
        except CorruptItemError as error:
            _log.warning("Task %r runs again: %s", call.task.name, error)
            is_readable = False
    redefined = call.version is not None and REDEFINITIONS.is_outdated(item, call.version)
    return Facts(item, False, exists, is_readable, redefined, call.inputs)

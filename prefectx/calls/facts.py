"""What is known of calls: asks the stores and the records, for many calls at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from prefectx.arguments.references import items_in, unsettled_in
from prefectx.arguments.signature import Arguments
from prefectx.calls.decision import Facts, Reason
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.errors import CorruptItemError, StoreError
from prefectx.futures import Future
from prefectx.item import Item, Store
from prefectx.lazy_outputs import lazy_output, lazy_outputs
from prefectx.monitoring.hooks import ObservedCall
from prefectx.planned_outputs import planned
from prefectx.records import Lineage

_log = logging.getLogger("prefectx.calls")


class DecidedCall(ObservedCall, Protocol):
    """The part of a call that the decision needs."""

    @property
    def given(self) -> Arguments:
        """The arguments by name, with the references among them."""

    def recall(self) -> Lineage | None:
        """Return what the output is made from and what is recorded of it, None if nothing is."""


def look(calls: Sequence[DecidedCall]) -> list[Facts]:
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


def _facts(call: DecidedCall, found: dict[Store, set[str]]) -> Facts:
    item = call.item
    if item is None or not call.mode.keeps:
        return Facts(None)
    if call.options.refresh:
        return Facts(item, refresh=True)
    pending = open_inputs(call)
    if item.location not in found[item.store]:
        return Facts(item, inputs=pending)
    doubt = _doubt(call, item)
    is_ignored = set(call.options.stale.values()) == {"ignore"}
    lineage = None if doubt or is_ignored else call.recall()
    if lineage is None:
        return Facts(item, exists=True, doubt=doubt, inputs=pending)
    stale = lineage.staleness(item, call.given)
    awaits = bool(
        lineage.recorded
        and lineage.origin.stale["inputs"] in ("rerun", "error")
        and (pending or has_unsettled(call.given))
    )
    return Facts(item, exists=True, inputs=pending, stale=stale, awaits_inputs=awaits)


def open_inputs(call: ObservedCall) -> tuple[Future[object], ...]:
    """Return the futures among the arguments that are not over, without those of lazy calls."""
    return tuple(
        future
        for future in call.inputs
        if not future.state.is_final()
        and ((lazy := lazy_output(future.item)) is None or lazy.is_started)
    )


def has_unsettled(arguments: Arguments) -> bool:
    """Tell whether inputs will be made anew: by lazy calls, or in the run that is planned."""
    plan = planned()
    if plan is not None and unsettled_in(plan, arguments):
        return True
    if not lazy_outputs():
        return False
    for item in items_in(arguments):
        lazy = lazy_output(item)
        if lazy is not None and (lazy.is_started or lazy.is_changed()):
            return True
    return False


def _doubt(call: DecidedCall, item: Item[object]) -> Reason | None:
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

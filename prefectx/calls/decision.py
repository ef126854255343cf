"""The one decision: whether a call is skipped or runs, and why.

`look` asks the stores, `decide` is the rule. Both are applied where a call is made, again when
inputs that it waited for are over, and once more under the lock, just before the function runs.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

from prefectx.arguments.signature import Arguments
from prefectx.calls.lineage import Lineage, Stale
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.errors import CorruptItemError, PrefectxError, StaleError, StoreError, TargetError
from prefectx.futures import Future
from prefectx.item import Item, Store
from prefectx.masking import mask_urls
from prefectx.monitoring.hooks import ObservedCall

_log = logging.getLogger("prefectx.calls")

Reason = Literal["not kept", "refresh", "missing", "expired", "unreadable", "redefined", "stale"]


class Skip(NamedTuple):
    """The call is finished: its output exists; it may be stale all the same."""

    item: Item[object]
    stale: Stale | None = None


class Run(NamedTuple):
    """The function has to run, for a reason; `unreadable` needs `on_corrupt = "rerun"`."""

    reason: Reason


MISSING = Run("missing")


class Refuse(NamedTuple):
    """The output is stale, and that is to be an error."""

    item: Item[object]
    stale: Stale


class Wait(NamedTuple):
    """What the call needs to know depends on inputs that are not over: decide again then."""

    inputs: tuple[Future[object], ...]


Decision = Skip | Run | Wait | Refuse


class DecidedCall(ObservedCall, Protocol):
    """The part of a call that the decision needs."""

    @property
    def given(self) -> Arguments:
        """The arguments by name, with the references among them."""

    @property
    def lineage(self) -> Lineage | None:
        """What the output is made from, None if nothing is recorded."""


class Facts(NamedTuple):
    """What is known of a call."""

    item: Item[object] | None  # the output to look for, None if the call keeps none
    refresh: bool = False  # the function is to run though the output exists
    exists: bool = False
    doubt: Reason | None = None  # why an output that exists does not count
    inputs: tuple[Future[object], ...] = ()  # futures among the arguments
    stale: Stale | None = None  # why an output that exists is out of date
    awaits_inputs: bool = False  # whether it is out of date depends on inputs that are not over


def decide(facts: Facts) -> Decision:
    """Decide whether a call is skipped or runs. This is the only rule."""
    if facts.item is None:
        return Run("not kept")
    if facts.refresh:
        return Run("refresh")
    if facts.exists and facts.doubt:
        return Run(facts.doubt)
    if facts.exists and facts.awaits_inputs:
        return Wait(facts.inputs)
    if facts.exists:
        stale = facts.stale
        if stale is None or stale.reaction == "warn":
            return Skip(facts.item, stale)
        return Run("stale") if stale.reaction == "rerun" else Refuse(facts.item, stale)
    return Wait(facts.inputs) if facts.inputs else MISSING


def refusal(task: str, *refused: Refuse) -> PrefectxError:
    """Return the error for stale outputs of one task.

    Parameters:
        task: the name of the task.
        *refused: the decisions.
    """
    first = refused[0]
    causes = {cause.kind for cause in first.stale.causes}
    others = f", as are {len(refused) - 1} more of this task" if len(refused) > 1 else ""
    where = mask_urls(first.item.location)
    if causes == {"arguments"}:
        return TargetError(
            f"task {task!r}: {where} was made by a different call ({first.stale}){others}; add what"
            " tells the calls apart to the target, set shared = true if one output is meant for"
            ' both, or stale = { arguments = "rerun" } to replace it'
        )
    return StaleError(
        f'task {task!r}: {where} is stale ({first.stale}){others}; set stale = "rerun" to make it'
        ' anew, or "warn" to keep it'
    )


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
    if item.location not in found[item.store]:
        return Facts(item, inputs=call.inputs)
    doubt, lineage = _doubt(call, item), call.lineage
    if doubt or lineage is None:
        return Facts(item, exists=True, doubt=doubt, inputs=call.inputs)
    pending = tuple(future for future in call.inputs if not future.state.is_final())
    stale = lineage.staleness(item, call.given)
    awaits = bool(pending and lineage.recorded and lineage.origin.stale["inputs"] in ("rerun", "error"))
    return Facts(item, exists=True, inputs=pending, stale=stale, awaits_inputs=awaits)


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

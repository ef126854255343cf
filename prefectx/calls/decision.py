"""The one decision: whether a call is skipped or runs, and why.

`look` (in `facts`) asks the stores and the records, `decide` is the rule. Both are applied where a
call is made, again when inputs that it waited for are over, and under the lock, just before the
function runs.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from prefectx.futures import Future
from prefectx.item import Item
from prefectx.records import Stale

Reason = Literal["not kept", "refresh", "missing", "expired", "unreadable", "redefined", "stale"]


class Skip(NamedTuple):
    """The call is finished: its output exists; it may be stale all the same."""

    item: Item[object]
    stale: Stale | None = None


class Run(NamedTuple):
    """The function has to run, for a reason; `unreadable` needs `on_corrupt = "rerun"`."""

    reason: Reason


MISSING = Run("missing")
REMAKES = ("missing", "stale")
"""Reasons for which an earlier version does as well, if it was made from just the same."""


class Refuse(NamedTuple):
    """The output is stale, and that is to be an error."""

    item: Item[object]
    stale: Stale


class Wait(NamedTuple):
    """What the call needs to know depends on inputs that are not over: decide again then."""

    inputs: tuple[Future[object], ...]


Decision = Skip | Run | Wait | Refuse


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

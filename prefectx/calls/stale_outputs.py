"""Tells of stale outputs that are kept, and refuses those that are to be an error."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import copy_context

from prefectx.calls.call import Call
from prefectx.calls.decision import Decision, Refuse, Skip
from prefectx.calls.facts import open_inputs
from prefectx.calls.refusal import refusal
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.futures import Future
from prefectx.monitoring.hooks import HOOKS
from prefectx.records import Stale


def tell_of_stale(task: ResolvedTask, calls: Sequence[Call], decisions: Sequence[Decision]) -> None:
    """Tell of the stale outputs among those of calls, at once or when their inputs are over.

    Parameters:
        task: the task that is called.
        calls: its calls.
        decisions: what becomes of each.

    Raises:
        StaleError: if an output is stale, and that is to be an error.
        TargetError: if an output is another call's.
    """
    refused = [decision for decision in decisions if isinstance(decision, Refuse)]
    if refused:
        raise refusal(task.task.name, *refused)
    for call, decision in zip(calls, decisions, strict=True):
        if not isinstance(decision, Skip):
            continue
        pending = open_inputs(call)
        if pending:
            _tell_later(task, call, pending)
        elif decision.stale is not None:
            _tell(task, decision.item.location, decision.stale)


def _tell(task: ResolvedTask, location: str, stale: Stale) -> None:
    causes = [cause.text for cause in stale.causes]
    for kept in HOOKS.call_stale:
        kept(task, location, causes)


def _tell_later(task: ResolvedTask, call: Call, pending: Sequence[Future[object]]) -> None:
    """Compare once more when the inputs are over: they may have been made anew."""
    here, left, lock = copy_context(), [len(pending)], threading.Lock()

    def over(_: Future[object]) -> None:
        with lock:
            left[0] -= 1
            if left[0]:
                return
        lineage, item = call.recall(), call.item
        stale = None if lineage is None or item is None else lineage.staleness(item, call.given)
        if stale is not None and item is not None:
            here.run(_tell, task, item.location, stale)

    for future in pending:
        future.add_done_callback(over)

"""Temporary outputs: deleted when the flow run in which they were made has ended well."""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple, Protocol, cast

from prefectx.calls.lineages import Lineages
from prefectx.errors import PrefectxError
from prefectx.futures import State
from prefectx.item import Item, Store
from prefectx.masking import mask_urls
from prefectx.monitoring.hooks import HOOKS, End, ObservedCall, ObservedTask, Subscriber
from prefectx.monitoring.progress import current
from prefectx.monitoring.summary import RunSummary
from prefectx.planned_outputs import planning
from prefectx.records import Lineage, Records, state_of

_log = logging.getLogger("prefectx.calls")


class _Task(ObservedTask, Protocol):
    """The part of a resolved task that is needed here."""

    @property
    def store(self) -> Store:
        """Where its outputs are kept."""

    @property
    def lineages(self) -> Lineages | None:
        """Makes what is recorded of its calls."""


class _Call(ObservedCall, Protocol):
    """The part of a call that is needed here."""

    @property
    def lineage(self) -> Lineage | None:
        """What its output is made from."""


class _Used(NamedTuple):
    """A temporary output that a flow run has made or found.

    Attributes:
        task: the name of its task.
        records: the records that tell of it.
        is_ours: whether this run has made it.
    """

    task: str
    records: Records
    is_ours: bool


class TemporaryOutputs(Subscriber):
    """Takes note of the temporary outputs of flow runs, and deletes them at the end."""

    def __init__(self) -> None:
        # By the summary of the outermost flow run, by its id.
        self._used: dict[int, dict[Item[object], _Used]] = {}
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Begin to take note; before there is a temporary task this costs nothing."""
        HOOKS.subscribe(self)

    def call_skipped(self, task: ObservedTask, location: str) -> None:
        """Take note of an output that an earlier run has left."""
        if task.options.temporary:
            found = cast(_Task, task)
            if found.lineages is not None:
                self._note(Item(found.store, location), task.task.name, found.lineages.records)

    def call_over(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Take note of an output that was made."""
        if not call.options.temporary or call.item is None:
            return
        lineage = cast(_Call, call).lineage
        has_failed = isinstance(end, BaseException) or (
            isinstance(end, State) and not end.is_completed()
        )
        if lineage is not None and not has_failed:
            is_ours = not (isinstance(end, State) and end.name == "Cached")
            self._note(call.item, call.task.name, lineage.records, is_ours=is_ours)

    def _note(
        self, item: Item[object], task: str, records: Records, *, is_ours: bool = False
    ) -> None:
        summary = current()
        if summary is not None and not planning():
            with self._lock:
                used = self._used.setdefault(id(summary.outermost), {})
                was_ours = item in used and used[item].is_ours
                used[item] = _Used(task, records, is_ours or was_ours)

    def end(self, summary: RunSummary) -> None:
        """Delete the temporary outputs of an outermost flow run, if it has ended well."""
        if summary.outer is not None:
            return
        with self._lock:
            found = self._used.pop(id(summary), {})
            elsewhere = {item for used in self._used.values() for item in used}
        if not summary.is_clean:
            return
        for records in {id(used.records): used.records for used in found.values()}.values():
            records.refresh()
        for item, used in found.items():
            if item not in elsewhere and _may_go(item, used):
                try:
                    item.store.delete(item.location)
                except (PrefectxError, OSError) as error:
                    where = mask_urls(item.location)
                    _log.warning("The temporary output %s cannot be deleted: %s", where, error)
                else:
                    summary.deleted(used.task)


def _may_go(item: Item[object], used: _Used) -> bool:
    """Tell whether an output is just what a temporary task has made, and nobody else needs it."""
    state = state_of(item)
    if state is None:
        return False
    record = next((r for r in used.records.find(item) if (r.size, r.mtime) == state), None)
    if record is None or not record.temporary:
        return False  # it was edited, or somebody else made it
    return used.is_ours or not used.records.is_written_by_another(record.run)


TEMPORARY = TemporaryOutputs()

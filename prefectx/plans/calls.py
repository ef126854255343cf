"""The calls of a flow, noted while its plan is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from prefectx.calls import Call
from prefectx.item import Item
from prefectx.masking import mask_urls
from prefectx.monitoring.hooks import HOOKS, ObservedTask, Subscriber
from prefectx.planned_outputs import PlanEndsError, PlannedOutputs, planned
from prefectx.records import Stale

NOT_NEEDED = "not needed"
LAZY = "its lazy output is not there"
PUT_BACK = "an earlier version is put back"
Status = Literal["finished", "run", "maybe"]


class PlannedCall(NamedTuple):
    """What becomes of one call.

    Attributes:
        task: the name of the task.
        location: its output, relative to the root if it lies there; None if it keeps none.
        status: finished: it is skipped; run: its function runs; maybe: it runs if an input that
            is made anew comes out different.
        reason: why, in words; of a finished call why its output is stale, that nothing needs it,
            or that an earlier version is put back; else empty.
    """

    task: str
    location: str | None
    status: Status
    reason: str = ""

    @property
    def kind(self) -> str:
        """The status, and of a finished call whether it is stale, or not needed."""
        if self.status != "finished" or self.reason in ("", PUT_BACK):
            return self.status
        return self.reason if self.reason == NOT_NEEDED else "stale"


class PlannedCalls(PlannedOutputs, Subscriber):
    """Takes note of calls.

    Parameters:
        root: locations are shown relative to this folder or URL.
        see: is given each call, finished or not.
    """

    def __init__(self, root: str, see: Callable[[Call], None] | None = None) -> None:
        super().__init__()
        self.see = see
        self.sees_all = see is not None
        self._begin = f"{root.rstrip('/')}/"
        self._places: dict[tuple[str, str | None], int] = {}
        self.calls: list[PlannedCall] = []
        self.edges: set[tuple[str, str]] = set()
        self._tasks: dict[str, str] = {}

    def __enter__(self) -> PlannedCalls:
        HOOKS.subscribe(self)
        return self

    def __exit__(self, *error: object) -> None:
        HOOKS.unsubscribe(self)

    def call_skipped(self, task: ObservedTask, location: str) -> None:
        """Take note of a call that is finished."""
        if planned() is not self:
            return  # of a thread that makes no plan
        if self.deleted and any(item.location == location for item in self.deleted):
            where = mask_urls(location)
            raise PlanEndsError(f"it deletes {where} itself, and calls the task that makes it")
        self._note(PlannedCall(task.task.name, self.shown(location), "finished"))

    def call_stale(self, task: ObservedTask, location: str, causes: Sequence[str]) -> None:
        """Take note that an output is kept though it is stale."""
        if planned() is not self:
            return
        shown = self.shown(location)
        self._note(PlannedCall(task.task.name, shown, "finished", "; ".join(causes)))

    def finished(self, task: str, item: Item[object], stale: Stale | None) -> None:
        """Take note of a finished call that the mode sends to its engine."""
        self._note(
            PlannedCall(task, self.shown(item.location), "finished", str(stale) if stale else "")
        )

    def add(self, task: str, item: Item[object] | None, status: Status, reason: str) -> None:
        """Take note of a call that would run, or might."""
        if item is None:
            self.calls.append(PlannedCall(task, None, status, reason))
            return
        if status != "finished":
            self.deleted.discard(item)
            self.unsettled.add(item)
        self._note(PlannedCall(task, self.shown(item.location), status, reason))

    def takes(self, task: str, inputs: Iterable[Item[object]]) -> None:
        """Take note of the inputs of a call that is not finished; lazy ones are made for it."""
        for item in inputs:
            shown = self.shown(item.location)
            source = self._tasks.get(shown)
            if source is not None:
                self.edges.add((source, task))
                at = self._places[source, shown]
                if self.calls[at].reason == LAZY:
                    self.calls[at] = self.calls[at]._replace(
                        reason=f"{LAZY} and would be made for {task}"
                    )

    def _note(self, call: PlannedCall) -> None:
        """Keep one line for each output; what was said first of it stays."""
        if call.location is not None:
            self._tasks[call.location] = call.task
        key = (call.task, call.location)
        at = self._places.setdefault(key, len(self.calls))
        if at == len(self.calls):
            self.calls.append(call)

    def shown(self, location: str) -> str:
        """Return a location as people read it: relative to the root if it lies there."""
        return mask_urls(location.removeprefix(self._begin))

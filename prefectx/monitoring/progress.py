"""Counts the calls of a flow run: skipped, running, done, failed; tells of stale outputs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol

from prefectx.monitoring.hooks import HOOKS, End, ObservedCall, ObservedTask, Subscriber
from prefectx.monitoring.summary import RunSummary
from prefectx.monitoring.words import stale_line
from prefectx.run_context import began_at

_log = logging.getLogger("prefectx.calls")
_current: ContextVar[RunSummary | None] = ContextVar("prefectx_run", default=None)
# The method itself: a function around it would cost every call.
current = _current.get
"""Return the summary of the current flow run, None outside one."""


class Progress(Subscriber):
    """Counts calls in the summary of the flow run that makes them."""

    def reset(self) -> None:
        """Stop counting until the next flow runs."""
        HOOKS.unsubscribe(self)

    def call_skipped(self, task: ObservedTask, location: str) -> None:
        """Count a call that was skipped."""
        summary = current()
        if summary is not None:
            summary.skip(task)

    def call_submitted(self, call: ObservedCall) -> None:
        """Count a call that is handed to its engine."""
        summary = current()
        if summary is not None:
            summary.begin(call.task.name)

    def call_over(self, call: ObservedCall, end: End, seconds: float) -> None:
        """Count the end of a submitted call."""
        summary = current()
        if summary is not None:
            summary.end(call, end, seconds)


class StaleOutputs(Subscriber):
    """Tells of stale outputs that are kept: at the end of a flow run, outside one at once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def reset(self) -> None:
        """Forget what was told."""
        self._told.clear()

    def call_stale(self, task: ObservedTask, location: str, causes: Sequence[str]) -> None:
        """Take note of a stale output; outside a flow tell of it, once for each task."""
        summary = current()
        if summary is not None:
            summary.keep_stale(task.task.name, location, causes)
        elif task.task.name not in self._told:
            self._told.add(task.task.name)
            _log.warning("%s", stale_line(task.task.name, {location: tuple(causes)}))


PROGRESS = Progress()
STALE = StaleOutputs()
HOOKS.subscribe(STALE)


class Recorded(Protocol):
    """The part of a flow that recording needs."""

    name: str
    last_run: RunSummary | None


@contextmanager
def recording(flow: Recorded) -> Iterator[RunSummary]:
    """Count the calls made in the block.

    Parameters:
        flow: the flow; its `last_run` is set to the summary at once.
    """
    summary = flow.last_run = RunSummary(flow.name, outer=current())
    if summary.outer is not None:
        summary.outer.inner.append(summary)
    token = _current.set(summary)
    # Not before the first flow runs, so that calls outside flows cost nothing until then.
    HOOKS.subscribe(PROGRESS)
    try:
        with began_at(datetime.now(UTC)):
            yield summary
    finally:
        _current.reset(token)
        summary.seconds = time.monotonic() - summary.started

"""Counting the calls that Prefect runs: how their futures end."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from typing import Any

from prefectx.engines.prefect.futures import seconds_of
from prefectx.item import Item
from prefectx.monitoring import progress
from prefectx.monitoring.progress import RunSummary


def count(future: Any, task: str, item: Item | None) -> None:
    """Count a call that was submitted, now and when it is over.

    Parameters:
        future: its future.
        task: the name of the task.
        item: its output, None where none is kept.
    """
    summary = progress.current()
    if summary is None:
        return
    submitted = time.monotonic()
    summary.begin(task)
    future.add_done_callback(lambda done: _over(summary, done, task, item, submitted))


def _over(summary: RunSummary, future: Any, task: str, item: Item | None, submitted: float) -> None:
    try:
        future.wait()
    except CancelledError:  # the flow has ended without waiting for it
        return
    state = future.state
    if state.is_final():
        seconds = seconds_of(state)
        elapsed = time.monotonic() - submitted
        summary.close(task, item, state, elapsed if seconds is None else seconds)

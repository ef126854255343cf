"""Writes the page of a flow run when it ends, if the configuration names a file for it."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prefectx.masking import mask_urls
from prefectx.monitoring.hooks import RUNNING
from prefectx.monitoring.progress import Recorded
from prefectx.monitoring.summary import RunSummary

_log = logging.getLogger("prefectx.calls")


@contextmanager
def reporting(
    flow: Recorded,
    place: str | None,
    written: Callable[[RunSummary, str], None] = lambda summary, place: None,
) -> Iterator[None]:
    """Write the page of the run in the block, also if it fails; not of a run inside another one.

    That it cannot be written is a warning: the run counts.

    Parameters:
        flow: the flow; its `last_run` is set in the block.
        place: an absolute path or a URL, None for no page.
        written: called with the counts and the place when the page is there.
    """
    try:
        yield
    finally:
        run = flow.last_run
        if place is not None and run is not None and not _is_inside(run):
            _write(run, sys.exception(), place, written)


def _is_inside(run: RunSummary) -> bool:
    """Tell whether a flow or a task called this flow, here or, on Prefect, in another process."""
    is_below = getattr(run.engine_run, "parent_task_run_id", None) is not None
    return run.outer is not None or RUNNING.get() is not None or is_below


def _write(
    run: RunSummary,
    error: BaseException | None,
    place: str,
    written: Callable[[RunSummary, str], None],
) -> None:
    try:
        # By name, as it is seldom needed, and knows everything.
        importlib.import_module("prefectx.reports").write_after_run(run, error, place)
    except Exception as problem:
        reason = f"{type(problem).__name__}: {problem}"
        _log.warning("%s: no report of this run: %s", run.flow, mask_urls(reason))
        return
    _log.info("%s: report: %s", run.flow, mask_urls(place))
    written(run, place)

"""Progress of a flow run: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from prefectx.monitoring.logging import RUNS
from prefectx.monitoring.progress import RunSummary, TaskSummary, in_words

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_INTERVAL = 30.0
# A flow that is over at once shows nothing but its summary.
_DELAY = 0.5

_shown = threading.Lock()


@contextmanager
def showing(summary: RunSummary, progress: bool | str) -> Iterator[None]:
    """Show how a flow run gets on; a flow in a flow is not shown beside the outer one.

    Parameters:
        summary: what is counted while the run goes on.
        progress: "auto": live lines where standard error is a terminal, else plain ones; True:
            live lines anywhere; False: nothing.
    """
    if progress is False or not _shown.acquire(blocking=False):
        yield
        return
    try:
        live = progress is True or sys.stderr.isatty()
        with _live(summary) if live else _plain(summary):
            yield
    finally:
        _shown.release()


def lines(summary: RunSummary) -> Iterator[str]:
    """Yield a line for each task of a run that goes on."""
    for name, counts in list(summary.tasks.items()):
        yield f"{name:<20} {_counts(counts)}{_pace(counts)}"


def _counts(counts: TaskSummary) -> str:
    return (
        f"{counts.skipped:>7,} skipped {counts.running:>6,} running"
        f" {counts.ran:>7,} done {counts.failed:>5,} failed"
    )


def _pace(counts: TaskSummary) -> str:
    rate = counts.rate
    left = f"   {in_words(counts.running / rate)} left" if rate and counts.running else ""
    return f"   {rate:.1f}/s{left}" if rate else ""


@contextmanager
def _plain(summary: RunSummary) -> Iterator[None]:
    """Log the lines at intervals, from a thread that ends with the block."""
    over = threading.Event()

    def log() -> None:
        while not over.wait(_INTERVAL):
            for line in lines(summary):
                logging.getLogger(RUNS).info("%s", " ".join(line.split()))

    thread = threading.Thread(target=log, name="prefectx progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _live(summary: RunSummary) -> Iterator[None]:
    # Needed on a terminal only, and slow to import.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def render() -> Text:
        shown = time.monotonic() - summary.started > _DELAY
        return Text("\n".join(lines(summary)) if shown else "", no_wrap=True)

    console = Console(stderr=True)
    live = Live(console=console, get_renderable=render, refresh_per_second=4, transient=True)
    with ExitStack() as stack:
        stack.enter_context(live)
        stack.enter_context(_through(sys.stderr))
        yield


def _through(stream: Any) -> AbstractContextManager[None]:
    """Send what rich's own log handlers write through the live display, not across it."""
    handlers = [h for h in _all_handlers() if hasattr(getattr(h, "console", None), "file")]
    return _redirected(handlers, stream) if handlers else nullcontext()


def _all_handlers() -> Iterator[Any]:
    for name in (None, "prefect"):
        yield from logging.getLogger(name).handlers


@contextmanager
def _redirected(handlers: list[Any], stream: Any) -> Iterator[None]:
    before = [handler.console.file for handler in handlers]
    for handler in handlers:
        handler.console.file = stream
    try:
        yield
    finally:
        for handler, file in zip(handlers, before, strict=True):
            handler.console.file = file

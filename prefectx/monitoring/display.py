"""Progress of a flow run: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from prefectx.monitoring.logging import RUNS
from prefectx.monitoring.summary import RunSummary
from prefectx.monitoring.words import in_words

_INTERVAL = 30.0
# Shorter flows show only their summary.
_DELAY = 0.5

_shown = threading.Lock()


@contextmanager
def showing(summary: RunSummary, progress: bool | str) -> Iterator[None]:
    """Show the progress of a flow run; a flow inside a flow is not shown beside the outer one.

    Parameters:
        summary: the counts of the run, updated while it runs.
        progress: "auto": live lines if standard error is a terminal, else plain ones; True:
            always live lines; False: nothing.
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
    """Yield a line of counts for each task of a running flow."""
    for name, counts in list(summary.tasks.items()):
        line = (
            f"{name:<20} {counts.skipped:>7,} skipped {counts.running:>6,} running"
            f" {counts.ran:>7,} done {counts.failed:>5,} failed"
        )
        if counts.rate:
            line += f"   {counts.rate:.1f}/s"
            if counts.running:
                line += f"   {in_words(counts.running / counts.rate)} left"
        yield line


@contextmanager
def _plain(summary: RunSummary) -> Iterator[None]:
    """Log the lines at intervals, from a thread that stops with the block."""
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
    # Needed only on a terminal, and slow to import.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def render() -> Text:
        shown = time.monotonic() - summary.started > _DELAY
        return Text("\n".join(lines(summary)) if shown else "", no_wrap=True)

    console = Console(stderr=True)
    with (
        Live(console=console, get_renderable=render, refresh_per_second=4, transient=True),
        _redirected_handlers(sys.stderr),
    ):
        yield


@contextmanager
def _redirected_handlers(stream: TextIO) -> Iterator[None]:
    """Let rich's log handlers write through the live display, not across it."""
    from rich.console import Console

    loggers = (logging.getLogger(name) for name in (None, "prefect"))
    found = [getattr(handler, "console", None) for log in loggers for handler in log.handlers]
    consoles = [console for console in found if isinstance(console, Console)]
    before = [console.file for console in consoles]
    for console in consoles:
        console.file = stream
    try:
        yield
    finally:
        for console, file in zip(consoles, before, strict=True):
            console.file = file

"""Starts Prefect's background threads so that they do not keep the data of a task run alive."""

from __future__ import annotations

import contextvars

from prefect.context import SettingsContext, get_settings_context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker

_WITHIN = 30.0


class BackgroundThreads:
    """The threads that send events and log lines, one of each for each API."""

    def __init__(self) -> None:
        self._started: set[str | None] = set()

    def start(self) -> None:
        """Start the threads, once per API.

        A thread keeps the context in which it was started. If the first task run started it, that
        would be its arguments and its result.
        """
        here = get_settings_context()
        url = here.settings.api.url
        if url not in self._started:
            self._started.add(url)
            contextvars.Context().run(_start, here.model_copy())

    def finish(self) -> None:
        """Send what is waiting; the threads start again when they are next needed."""
        self.reset()
        APILogWorker.drain_all(timeout=_WITHIN)
        EventsWorker.drain_all(timeout=_WITHIN)

    def reset(self) -> None:
        """Forget for which APIs threads were started."""
        self._started.clear()


THREADS = BackgroundThreads()


def _start(settings: SettingsContext) -> None:
    with settings:
        EventsWorker.instance()
        APILogWorker.instance()

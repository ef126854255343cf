"""Prefect's background threads, started so that they keep no task run's data."""

from __future__ import annotations

import contextvars

from prefect.context import SettingsContext, get_settings_context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker

_WITHIN = 30.0
_started: set[str | None] = set()


def start_background_threads() -> None:
    """Start the threads that send events and log lines, once per process and API.

    They keep the context that they were started in for as long as they live. Started by the first
    task run, they would keep its arguments and its result.
    """
    here = get_settings_context()
    url = here.settings.api.url
    if url not in _started:
        _started.add(url)
        contextvars.Context().run(_start, here.model_copy())


def finish_background_threads() -> None:
    """Send what is waiting; the threads start anew when they are needed again."""
    _started.clear()
    APILogWorker.drain_all(timeout=_WITHIN)
    EventsWorker.drain_all(timeout=_WITHIN)


def _start(settings: SettingsContext) -> None:
    with settings:
        EventsWorker.instance()
        APILogWorker.instance()

"""Logging with Prefect: formats, and extra loggers that also send their lines to the API."""

from __future__ import annotations

import logging
import logging.config
import os
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.context import FlowRunContext, TaskRunContext
from prefect.logging.configuration import load_logging_config, setup_logging
from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler
from prefect.settings import get_current_settings

from prefectx.modes import get_mode
from prefectx.monitoring.logging import LoggingState, RunFormatter, apply_config

if TYPE_CHECKING:
    from prefectx.settings import Options

_RUNS = ("prefect.flow_runs", "prefect.task_runs")
# Parts of a line that Prefect's UI shows beside the message.
_SHOWN_APART = ("%(asctime)", "%(levelname)")

STATE = LoggingState()


def set_up(options: Options) -> None:
    """Set up logging in this process: that of the flow, one of a pool, or a worker.

    The formats stay if the user has configured Prefect's logging by a file or variables.

    Parameters:
        options: the project's options in the process of the flow.
    """
    wanted = options.logging
    if wanted is STATE.options or wanted == STATE.options:
        return
    STATE.options = wanted
    if not logging.getLogger(_RUNS[0]).handlers:
        setup_logging()
    if wanted.config:
        apply_config(wanted.config, load_logging_config)
    else:
        _set_formats(options)
        _set_levels(options)
    for name in wanted.extra_loggers:
        _send_to_api(logging.getLogger(name), _at_api(options))


def _set_formats(options: Options) -> None:
    if _is_configured_by_user():
        return
    wanted = options.logging
    loggers = map(logging.getLogger, (None, "prefect", "prefect.extra", *_RUNS))
    for handler in (handler for logger in loggers for handler in logger.handlers):
        if isinstance(handler, APILogHandler):
            handler.setFormatter(_at_api(options))
        elif isinstance(handler, PrefectConsoleHandler):
            handler.setFormatter(_PrefectRunFormatter(wanted.format, wanted.datefmt))


def _set_levels(options: Options) -> None:
    chosen = options.sources["logging.level"].layer != "default"
    for name in ("prefectx", *_RUNS) if chosen else ("prefectx",):
        logging.getLogger(name).setLevel(options.logging.level)
    for name in options.logging.extra_loggers:
        logging.getLogger(name).setLevel(options.logging.level)


def _send_to_api(logger: logging.Logger, formatter: logging.Formatter) -> None:
    if any(isinstance(handler, APILogHandler) for handler in logger.handlers):
        return
    handler = APILogHandler()
    handler.setFormatter(formatter)
    handler.addFilter(_in_a_run)
    logger.addHandler(handler)


def _in_a_run(record: logging.LogRecord) -> bool:
    # Prefect warns of each line logged outside a run, and libraries log such lines.
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def _at_api(options: Options) -> logging.Formatter:
    """Return the formatter of messages at the API; in the mode `prefect` they stay what they are.

    Elsewhere the place in the user's file is before them.
    """
    if not get_mode(options.mode).keeps:
        return logging.Formatter("%(message)s")
    parts = options.logging.format.split(" | ")
    return _MessageFormatter(" | ".join(p for p in parts if not p.startswith(_SHOWN_APART)))


def _is_configured_by_user() -> bool:
    path = get_current_settings().logging.config_path
    variables = ("PREFECT_LOGGING_FORMATTERS_", "PREFECT_LOGGING_HANDLERS_")
    return bool(path and Path(path).exists()) or any(n.startswith(variables) for n in os.environ)


class _MessageFormatter(RunFormatter):
    """Formats a message for the API, which shows the run itself."""

    def run_of(self, record: logging.LogRecord) -> str | None:
        """Return None: the run is shown apart."""
        return None


class _PrefectRunFormatter(RunFormatter):
    """Finds the run of an extra logger's line in Prefect's context."""

    def run_of(self, record: logging.LogRecord) -> str | None:
        """Return the kind and the name of the record's run, None outside a run."""
        known = super().run_of(record)
        if known or record.name.split(".")[0] == "prefect":
            return known
        task = TaskRunContext.get()
        flow = FlowRunContext.get()
        if task is not None:
            return f"Task run {task.task_run.name!r}"
        return f"Flow run {flow.flow_run.name!r}" if flow is not None and flow.flow_run else None

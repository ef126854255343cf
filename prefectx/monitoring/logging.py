"""Logging: how lines look, which loggers belong to a run, or a dictConfig file instead.

What is Prefect's own (its handlers, its API) is set up in `engines/prefect/logs.py`.
"""

from __future__ import annotations

import copy
import logging
import os
import string
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from prefectx.settings import Logging

RUNS = "prefectx.runs"
"""The logger of tasks and flows that no Prefect runs."""

_done: Logging | None = None


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Let a logger pass warnings only, inside the block."""
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def set_up(options: Logging) -> None:
    """Set up logging where no Prefect does it.

    Lines go to standard error, but from loggers that have handlers already: these were set up
    by somebody else.

    Parameters:
        options: the table `[logging]`.
    """
    global _done
    if options is _done or options == _done:
        return
    _done = options
    if options.config:
        from logging.config import dictConfig

        dictConfig(read_config(options.config, options.level))
        return
    handler = console_handler(options)
    for name in ("prefectx", *options.extra_loggers):
        logger = logging.getLogger(name)
        logger.setLevel(options.level)
        _replace_handler(logger, handler)


def console_handler(options: Logging) -> logging.Handler:
    """Make a handler that writes lines in the chosen format to standard error."""
    handler = _Console()
    handler.setFormatter(RunFormatter(options.format, options.datefmt))
    return handler


def read_config(path: str, level: str) -> dict[str, Any]:
    """Read a dictConfig file in YAML or JSON.

    Parameters:
        path: the file; names in `${}` stand for environment variables.
        level: what `${PREFECT_LOGGING_LEVEL}` stands for where it is not set.
    """
    # JSON is YAML; the parser comes with Prefect and is slow to import.
    import yaml

    known = {"PREFECT_LOGGING_LEVEL": level, "PREFECT_SERVER_LOGGING_LEVEL": "WARNING"}
    text = string.Template(Path(path).read_text(encoding="utf-8"))
    config: dict[str, Any] = yaml.safe_load(text.safe_substitute({**known, **os.environ}))
    return {"disable_existing_loggers": False, **config}


class RunFormatter(logging.Formatter):
    """Formats a line, and says in its message which run it is from."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the formatted line."""
        run = self.run_of(record)
        if run:
            record = copy.copy(record)
            record.message = f"{run} - {record.message}"
        return super().formatMessage(record)

    def run_of(self, record: logging.LogRecord) -> str | None:
        """Return the run that a record is from, in words, None outside one."""
        for kind in ("task", "flow"):
            name = getattr(record, f"{kind}_run_name", None)
            if name:
                return f"{kind.capitalize()} run {name!r}"
        return None


class _Console(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at the time: a live display may have taken its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there
        return sys.stderr


def _replace_handler(logger: logging.Logger, handler: logging.Handler) -> None:
    for old in [old for old in logger.handlers if isinstance(old, _Console)]:
        logger.removeHandler(old)
    if not logger.hasHandlers():
        logger.addHandler(handler)

"""Logging without Prefect: the format of lines, extra loggers, or a dictConfig file instead.

`engines/prefect/logs.py` sets up Prefect's own handlers.
"""

from __future__ import annotations

import copy
import logging
import os
import string
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from prefectx.errors import ConfigError
from prefectx.monitoring.hooks import RUNNING

if TYPE_CHECKING:
    from prefectx.settings import Logging

RUNS = "prefectx.runs"
"""The logger of tasks and flows that run without Prefect."""


class LoggingState:
    """The logging of this process.

    Attributes:
        options: the table `[logging]` that was set up last, None before the first.
    """

    options: Logging | None = None

    def reset(self) -> None:
        """Set up logging again when it is next needed."""
        self.options = None


STATE = LoggingState()


@contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Let a logger pass only warnings and errors inside the block."""
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def set_up(options: Logging) -> None:
    """Set up logging in a process in which Prefect does not do it.

    Lines go to standard error. A logger that has handlers already is left alone: somebody else
    has set it up.

    Parameters:
        options: the table `[logging]`.
    """
    if options is STATE.options or options == STATE.options:
        return
    STATE.options = options
    if options.config:
        apply_config(options.config, lambda path: read_config(path, options.level))
        return
    handler = console_handler(options)
    for name in ("prefectx", *options.extra_loggers):
        logger = logging.getLogger(name)
        logger.setLevel(options.level)
        for old in [old for old in logger.handlers if isinstance(old, _Console)]:
            logger.removeHandler(old)
        if not _is_handled(logger):
            logger.addHandler(handler)


def _is_handled(logger: logging.Logger) -> bool:
    """Tell whether somebody else than Prefect, at its import, has set up a logger."""
    found: logging.Logger | None = logger
    while found is not None:
        if any(not _is_prefects(handler) for handler in found.handlers):
            return True
        found = found.parent if found.propagate else None
    return False


def _is_prefects(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith("prefect.")


def console_handler(options: Logging) -> logging.Handler:
    """Make a handler that writes lines in the chosen format to standard error."""
    handler = _Console()
    handler.setFormatter(RunFormatter(options.format, options.datefmt))
    return handler


def apply_config(path: str, read: Callable[[Path], object]) -> None:
    """Set up logging by a dictConfig file in YAML or JSON.

    Parameters:
        path: the file.
        read: reads it.

    Raises:
        ConfigError: if the file is missing, is not YAML, or is no configuration of logging.
    """
    from logging.config import dictConfig

    _use_config(path, lambda: dictConfig({"disable_existing_loggers": False, **_table(read, path)}))


def check_config(path: str) -> None:
    """Refuse what can be told to be no file for `apply_config`, without setting up anything.

    Raises:
        ConfigError: if the file is missing, or no table in YAML or JSON.
    """
    _use_config(path, lambda: _table(lambda file: read_config(file, "INFO"), path))


def _table(read: Callable[[Path], object], path: str) -> dict[str, Any]:
    config = read(Path(path))
    if not isinstance(config, dict):
        raise ValueError(f"it holds {type(config).__name__}, not a table")
    return config


def _use_config(path: str, use: Callable[[], object]) -> None:
    # JSON is a subset of YAML. The parser comes with Prefect and is slow to import.
    from yaml import YAMLError

    try:
        use()
    except (OSError, ValueError, TypeError, AttributeError, ImportError, YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"logging.config: {path} cannot be used: {reason}") from error


def read_config(path: Path, level: str) -> object:
    """Read a dictConfig file; names in `${}` in it stand for environment variables.

    Parameters:
        path: the file.
        level: the value of `${PREFECT_LOGGING_LEVEL}` if that is not set.
    """
    import yaml

    known = {"PREFECT_LOGGING_LEVEL": level, "PREFECT_SERVER_LOGGING_LEVEL": "WARNING"}
    text = string.Template(path.read_text(encoding="utf-8"))
    return yaml.safe_load(text.safe_substitute({**known, **os.environ}))


class RunFormatter(logging.Formatter):
    """Formats a line, and puts the name of its run before the message.

    A line that prefectx or Prefect has logged is at no place of the user's: it shows none.
    """

    def __init__(self, format: str, datefmt: str | None = None) -> None:
        super().__init__(format, datefmt)
        self._without_place = logging.Formatter(without_place(format), datefmt)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name in logging
        """Return the formatted line."""
        run = self.run_of(record)
        if run:
            record = copy.copy(record)
            record.message = f"{run} - {record.message}"
        if is_users(record):
            return super().formatMessage(record)
        return self._without_place.formatMessage(record)

    def run_of(self, record: logging.LogRecord) -> str | None:
        """Return the kind and the name of the record's run or call, None outside of both."""
        for kind in ("task", "flow"):
            name = getattr(record, f"{kind}_run_name", None)
            if name:
                return f"{kind.capitalize()} run {name!r}"
        call = RUNNING.get()
        if call is None or call.mode.is_prefect:
            return None
        name = call.task.name
        if call.item is not None and call.item.stem != name:
            name = f"{name}-{call.item.stem}"
        return f"Task {name!r}"


# Fields of a format that say where a line was logged.
_PLACES = ("%(module)", "%(lineno)", "%(filename)", "%(pathname)", "%(funcName)", "%(name)")


def without_place(format: str) -> str:
    """Return a format without the parts between ` | ` that say where a line was logged."""
    parts = [part for part in format.split(" | ") if not any(place in part for place in _PLACES)]
    return " | ".join(parts) if "%(message)" in "".join(parts) else format


def is_users(record: logging.LogRecord) -> bool:
    """Tell whether a line was logged in a file that is neither prefectx's nor Prefect's.

    Code that came to a worker by value has no file.
    """
    path = record.pathname
    return not path.startswith(("<", *_OURS)) and _PREFECTS not in path


_OURS = (f"{Path(__file__).parent.parent}{os.sep}",)
_PREFECTS = f"{os.sep}site-packages{os.sep}prefect{os.sep}"


class _Console(logging.StreamHandler[TextIO]):
    """Writes to the present `sys.stderr`, which a live display may have replaced.

    Prefect, when it is imported, gives the root logger a handler that would write the lines again.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        for handler in logging.root.handlers:
            if _is_prefects(handler) and _is_not_written not in handler.filters:
                handler.addFilter(_is_not_written)
        record.written = True
        super().emit(record)


def _is_not_written(record: logging.LogRecord) -> bool:
    return not getattr(record, "written", False)

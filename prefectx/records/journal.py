"""Journals: each process appends its records to a file of its own, one line and one write each."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH103, PTH120

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import platform
import threading
import time
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import orjson

from prefectx.item import Store
from prefectx.records.record import FORMAT

_log = logging.getLogger("prefectx.records")
FOLDER = ".prefectx"
_IGNORED = (
    "# Made by prefectx. Only the types of outputs are data.\n*\n!.gitignore\n!types/\n!types/**\n"
)
_FLUSH_SECONDS = 3.0


class Journal(Protocol):
    """Takes the lines of one process, for one folder of records."""

    def append(self, line: bytes) -> None:
        """Add a line. That it cannot be written is a warning: the output counts."""

    def close(self) -> None:
        """Write what is not written yet; a later line opens the journal again."""


def opening_line(run: str) -> bytes:
    """Return the first line of a journal: what all its records have in common."""
    from prefectx import __version__

    values = {
        "format": FORMAT,
        "run": run,
        "host": platform.node(),
        "python": platform.python_version(),
        "prefectx": __version__,
        "began": round(time.time(), 3),
    }
    return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


class FileJournal:
    """A journal in a local folder.

    Parameters:
        folder: the folder of journals.
        run: names the process.
    """

    def __init__(self, folder: str, run: str) -> None:
        self.path = f"{folder}/{run}.jsonl"
        self._run = run
        self._descriptor: int | None = None
        self._is_broken = False
        self._lock = threading.Lock()

    def append(self, line: bytes) -> None:
        """Add a line, with one write."""
        if self._is_broken:
            return
        try:
            if self._descriptor is None:
                with self._lock:
                    if self._descriptor is None:
                        self._descriptor = self._open()
            if os.write(self._descriptor, line) < len(line):
                raise OSError("the disk is full")
        except OSError as error:
            self._is_broken = True
            _log.warning(
                "No records are kept in %s: %s. The outputs are saved; whether they are out of date"
                " cannot be told later",
                Path(self.path).parent,
                error,
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _open(self) -> int:
        folder = os.path.dirname(self.path)
        os.makedirs(folder, exist_ok=True)
        ignored = Path(folder).parent / ".gitignore"
        if not ignored.exists():
            ignored.write_text(_IGNORED)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        while True:
            descriptor = os.open(self.path, flags, 0o666)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_SH)  # it is not merged from now on
            if os.fstat(descriptor).st_nlink:
                os.write(descriptor, opening_line(self._run))
                return descriptor
            os.close(descriptor)  # another process has merged it before it was locked


class ObjectJournal:
    """A journal behind a URL, where nothing can be appended: each flush is a new object.

    Parameters:
        folder: the URL of the folder of journals.
        store: saves bytes there.
        run: names the process.
    """

    def __init__(self, folder: str, store: Store, run: str) -> None:
        self._place = f"{folder}/{run}"
        self._store = store
        self._run = run
        self._lines: list[bytes] = []
        self._count = 0
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        atexit.register(self.flush)

    def append(self, line: bytes) -> None:
        """Add a line, which is written within a few seconds, or at the end of the process."""
        with self._lock:
            self._lines.append(line)
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_SECONDS, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Write what is not written yet."""
        self.flush()

    def flush(self) -> None:
        """Write what was not written yet."""
        with self._lock:
            lines, self._lines, self._timer = self._lines, [], None
            self._count += 1
            place = f"{self._place}-{self._count}.jsonl"
        if not lines:
            return
        try:
            self._store.save(place, b"".join([opening_line(self._run), *lines]))
        except Exception as error:  # a record is a convenience, whatever the service says
            _log.warning("No records could be kept at %s: %s", place, error)


def new_run() -> str:
    """Return a name for this process that no other has."""
    return f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{uuid4().hex[:8]}"

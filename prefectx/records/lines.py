"""The lines of all journals and snapshots of one folder, by location; read when first needed.

In one file, as all of it shares what was read.
"""
# pathlib costs more than the system calls that it wraps.

from __future__ import annotations

import contextlib
import heapq
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from prefectx.errors import StoreError
from prefectx.item import Store
from prefectx.records.record import FORMAT, location_key
from prefectx.records.snapshot import (
    CODE,
    FAILED,
    KEPT,
    LOCATION,
    OPENING,
    PREFIX,
    Snapshot,
    failed_key,
    is_removal,
    key_of,
    made,
)

_log = logging.getLogger("prefectx.records")
_ALL = 1 << 62
# How often a folder is read in which files vanish meanwhile.
_TIMES = 5


def _counting(lines: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Leave out what was recorded before an output was deleted on purpose."""
    removals = [made(line) for line in lines if is_removal(line)]
    if not removals:
        return lines
    last = max(removals)
    return tuple(line for line in lines if not is_removal(line) and made(line) > last)


def _size(entry: os.DirEntry[str]) -> int:
    """Return the size of a file; 1 of one that has just vanished, which reading it will tell."""
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 1


class Lines:
    """The lines of all records in a folder of journals.

    Parameters:
        folder: the folder of journals, a local path or a URL.
        store: reads bytes behind a URL; None for a path.
    """

    def __init__(self, folder: str, store: Store | None) -> None:
        self._folder = folder
        self._store = store
        self._newest: dict[bytes, bytes | tuple[bytes, ...]] = {}
        self._codes: dict[str, Mapping[str, str | None]] = {}
        self._failures: dict[bytes, bytes] = {}
        self._runs: dict[str, Mapping[str, Any]] = {}
        self._snapshots: list[Snapshot] = []
        self._read: dict[str, int] = {}
        self._is_read = False
        self._lock = threading.Lock()

    def newest(self, location: str) -> bytes | None:
        """Return the newest line of a location, None if there is none."""
        if not self._is_read:
            self.refresh()
        line = self._newest.get(location_key(location))
        if line is None and self._snapshots:
            line = self.of(location)
        if isinstance(line, tuple):
            line = line[-1] if line else None
        return None if line is None or is_removal(line) else line

    def of(self, location: str) -> tuple[bytes, ...]:
        """Return the lines of a location, the newest at the end."""
        if not self._is_read:
            self.refresh()
        key = location_key(location)
        lines = self._newest.get(key, ())
        older = [line for snapshot in self._snapshots for line in snapshot.find(key)]
        return _counting((*older, *(lines if isinstance(lines, tuple) else (lines,))))

    def all(self) -> Iterator[bytes]:
        """Yield the newest line of each location, sorted by location."""
        if not self._is_read:
            self.refresh()
        with self._lock:
            here = [
                (key, line)
                for key, lines in sorted(self._newest.items())
                for line in (lines if isinstance(lines, tuple) else (lines,))
            ]
        sources = [
            ((key_of(line) or b"", line) for line in each.lines()) for each in self._snapshots
        ]
        merged = heapq.merge(here, *sources, key=lambda pair: pair[0])
        for _, same in groupby(merged, lambda pair: pair[0]):
            lines = [line for _, line in same]
            newest = lines[0] if len(lines) == 1 else max(lines, key=made)
            if not is_removal(newest):
                yield newest

    def failures(self) -> list[bytes]:
        """Return the line of each call that failed the last time, by location and task."""
        if not self._is_read:
            self.refresh()
        return list(self._failures.values())

    def run(self, name: str) -> Mapping[str, Any]:
        """Return what is known of a process: host, versions, when it began; empty if nothing is."""
        return self._runs.get(name, {})

    def symbols(self, code: str) -> Mapping[str, str | None]:
        """Return the fingerprints of the symbols that code consists of; empty if unknown."""
        return self._codes.get(code, {})

    def add(self, line: bytes) -> None:
        """Take in a line that this process has written."""
        with self._lock:
            self._take(line)

    def refresh(self) -> None:
        """Read what was written since the last time."""
        with self._lock:
            self._is_read = True
            # What is merged while it is read is in a snapshot that was not there before.
            for _ in range(_TIMES):
                files = sorted(self._files())
                if not [file for file in files if not self._read_file(*file)]:
                    return

    def _files(self) -> list[tuple[str, int]]:
        """Return the journals and snapshots, and their sizes; behind URLs each is there whole."""
        try:
            if self._store is not None:
                return [(place, 1) for place in self._store.list(f"{self._folder}/")]
            with os.scandir(self._folder) as entries:
                found = [entry for entry in entries if entry.name.endswith(".jsonl")]
            return [(entry.path, _size(entry)) for entry in found]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, StoreError, NotImplementedError) as error:
            _log.warning("The records in %s cannot be read: %s", self._folder, error)
            return []

    def _read_file(self, name: str, size: int) -> bool:
        """Read the rest of one file; false if it is not there any more."""
        begin = self._read.get(name, 0)
        if size <= begin:
            return True
        try:
            if self._store is None and name.rpartition("/")[2].startswith(PREFIX):
                self._take_snapshot(name)
            else:
                self._take_journal(name, begin)
        except FileNotFoundError:
            return False
        except (OSError, StoreError, ValueError) as error:
            self._read[name] = _ALL
            _log.warning("The records in %s cannot be read: %s", name, error)
        return True

    def _take_snapshot(self, name: str) -> None:
        snapshot = Snapshot(name)
        self._read[name] = _ALL
        if self._is_ours(name, snapshot.format):
            self._snapshots.append(snapshot)
            for line in snapshot.header:
                self._take(line)

    def _take_journal(self, name: str, begin: int) -> None:
        content = self._content(name, begin)
        end = content.rfind(b"\n") + 1  # the last line may be about to be written
        self._read[name] = begin + end if self._store is None else _ALL
        lines = content[:end].splitlines(keepends=True)
        if not begin and lines and not lines[0].startswith((LOCATION, CODE)):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                if not self._is_ours(name, orjson.loads(lines[0])["format"]):
                    self._read[name] = _ALL
                    return
        damaged = sum(not self._take(line) for line in lines)
        if damaged:
            _log.warning("%s lines of the records in %s are damaged, and left out", damaged, name)

    def _content(self, name: str, begin: int) -> bytes:
        if self._store is None:
            with Path(name).open("rb") as stream:
                stream.seek(begin)
                return stream.read()
        content = self._store.load(name)
        return content if isinstance(content, bytes) else b""

    def _is_ours(self, name: str, number: object) -> bool:
        if number == FORMAT:
            return True
        _log.warning(
            "The records in %s are not read: another version of prefectx wrote them (format %s;"
            " this one reads %s)",
            name,
            number,
            FORMAT,
        )
        return False

    def _take(self, line: bytes) -> bool:
        """Take in one line; false if it is damaged."""
        if line.startswith(LOCATION):
            key = key_of(line)
            if key is None:
                return False
            earlier = self._newest.get(key)
            if earlier is None:
                self._newest[key] = line
            else:
                # Not in the order of the journals: the oldest may belong to a process that runs.
                lines = earlier if isinstance(earlier, tuple) else (earlier,)
                if line in lines:  # of this process, or merged since it was read
                    return True
                self._newest[key] = tuple(sorted((*lines, line), key=made)[-KEPT:])
            return True
        if line.startswith(CODE):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                values = orjson.loads(line)
                self._codes[values["code"]] = dict(values["symbols"])
                return True
            return False
        if line.startswith(FAILED):
            key, earlier = failed_key(line), self._failures.get(failed_key(line))
            if earlier is None or made(earlier) <= made(line):
                self._failures[key] = line
            return line.endswith(b"}\n")
        if line.startswith(OPENING):  # also of a journal that was opened again
            with contextlib.suppress(ValueError, KeyError, TypeError):
                run = orjson.loads(line)
                self._runs[run["run"]] = run
            return True
        return line == b"\n"

    def sources(self) -> dict[str, str]:
        """Return the source texts that were kept, by fingerprint; all files are read for it."""
        return dict(self._all_sources())

    def _all_sources(self) -> Iterator[tuple[str, str]]:
        for name, _ in self._files():
            with contextlib.suppress(FileNotFoundError):
                for line in self._content(name, 0).splitlines():
                    if line.startswith(CODE):
                        with contextlib.suppress(ValueError, AttributeError):
                            values: dict[str, Any] = orjson.loads(line)
                            yield from values.get("sources", {}).items()

"""Records of the outputs under one folder: looked up by location, written by this process."""
# pathlib costs more than the system calls that it wraps.

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from prefectx.errors import StoreError
from prefectx.item import Store
from prefectx.records.journal import FOLDER, FileJournal, Journal, ObjectJournal, new_run
from prefectx.records.record import FORMAT, Record, location_key

_log = logging.getLogger("prefectx.records")
# How many records of one location are kept at hand: two writers may overtake each other.
_AT_HAND = 4
_LOCATION = b'{"location":"'
_CODE = b'{"code":"'


class Records:
    """The records that lie in `.prefectx/records/` of one folder.

    They are read once, when the first is asked for, and again when an output turns out to be
    newer than its record.

    Parameters:
        folder: the folder, or the URL, that locations are relative to.
        store: reads and writes bytes behind a URL.
    """

    def __init__(self, folder: str, store: Store | None = None) -> None:
        self.folder = folder.rstrip("/")
        self.run = new_run()
        self._store = store
        self._lines: dict[bytes, bytes | tuple[bytes, ...]] = {}
        self._codes: dict[str, Mapping[str, str | None]] = {}
        self._written_codes: set[str] = set()
        self._read: dict[str, int] = {}
        self._is_read = False
        self._lock = threading.Lock()
        self._begin = self.folder + "/"
        self._journal: Journal = (
            FileJournal(self.folder, self.run)
            if store is None
            else ObjectJournal(self.folder, store, self.run)
        )

    def relative(self, location: str) -> str:
        """Return a location as records name it."""
        begin = self._begin
        return location[len(begin) :] if location.startswith(begin) else location

    def find(self, location: str) -> list[Record]:
        """Return the records of an output, the newest first."""
        if not self._is_read:
            self.refresh()
        lines = self._lines.get(location_key(self.relative(location)), ())
        found = []
        for line in reversed(lines) if isinstance(lines, tuple) else (lines,):
            try:
                found.append(Record.of_line(line))
            except ValueError as error:
                _log.warning("A record of %s cannot be read: %s", location, error)
        return found

    def newest(self, location: str) -> Mapping[str, Any] | None:
        """Return the newest record of an output as it was read, None if there is none.

        It costs less than `find`, and nothing in it was checked.
        """
        if not self._is_read:
            self.refresh()
        line = self._lines.get(location_key(self.relative(location)))
        if line is None:
            return None
        try:
            found = orjson.loads(line[-1] if isinstance(line, tuple) else line)
        except ValueError:
            return None
        return found if type(found) is dict else None

    def symbols(self, code: str | None) -> Mapping[str, str | None]:
        """Return the fingerprints of the symbols that code consists of; empty if unknown."""
        return self._codes.get(code or "", {})

    def add(self, record: Record) -> None:
        """Keep a record."""
        line = record._replace(run=self.run).line()
        self._journal.append(line)
        with self._lock:
            self._take(line)

    def add_code(
        self, digest: str, symbols: Mapping[str, str | None], sources: Mapping[str, str]
    ) -> None:
        """Keep what a fingerprint of code consists of, once in a process.

        Parameters:
            digest: the fingerprint of all of it.
            symbols: the fingerprint of each symbol.
            sources: the source of each of these fingerprints.
        """
        if digest in self._written_codes:
            return
        self._written_codes.add(digest)
        self._codes[digest] = dict(symbols)
        values = {"code": digest, "symbols": dict(symbols), "sources": dict(sources)}
        self._journal.append(orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE))

    def refresh(self) -> None:
        """Read what was written since the last time."""
        with self._lock:
            self._is_read = True
            for name, size in sorted(self._journals()):
                begin = self._read.get(name, 0)
                if size is not None and size <= begin:
                    continue
                if size is None and begin:
                    continue  # an object that was read
                content = self._content(name, begin)
                if content is None:
                    continue
                whole = content.rpartition(b"\n")[0] + b"\n" if b"\n" in content else b""
                self._read[name] = begin + len(whole)
                self._take_all(name, whole, is_start=not begin)

    def _journals(self) -> Iterable[tuple[str, int | None]]:
        folder = f"{self.folder}/{FOLDER}/records"
        if self._store is not None:
            try:
                return [(place, None) for place in self._store.list(f"{folder}/")]
            except (StoreError, OSError, NotImplementedError) as error:
                _log.warning("The records in %s cannot be read: %s", folder, error)
                return []
        try:
            with os.scandir(folder) as entries:
                return [
                    (entry.path, entry.stat().st_size)
                    for entry in entries
                    if entry.name.endswith(".jsonl")
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            _log.warning("The records in %s cannot be read: %s", folder, error)
            return []

    def _content(self, name: str, begin: int) -> bytes | None:
        try:
            if self._store is not None:
                content = self._store.load(name)
                return content if isinstance(content, bytes) else None
            with Path(name).open("rb") as stream:
                stream.seek(begin)
                return stream.read()
        except FileNotFoundError:
            return None
        except (OSError, StoreError) as error:
            _log.warning("The records in %s cannot be read: %s", name, error)
            return None

    def _take_all(self, name: str, content: bytes, *, is_start: bool) -> None:
        if is_start:
            opening, _, rest = content.partition(b"\n")
            try:
                number = orjson.loads(opening)["format"]
            except (ValueError, TypeError, KeyError):
                number, rest = FORMAT, content  # a journal whose begin is damaged
            if number != FORMAT:
                _log.warning(
                    "The records in %s are not read: they were written by another version of"
                    " prefectx (format %s, this one reads %s)",
                    name, number, FORMAT,
                )  # fmt: skip
                self._read[name] = 1 << 62
                return
            content = rest
        damaged = sum(not self._take(line) for line in content.splitlines(keepends=True))
        if damaged:
            _log.warning("%s lines of the records in %s are damaged, and left out", damaged, name)

    def _take(self, line: bytes) -> bool:
        """Take in one line; false if it is damaged."""
        if line.startswith(_LOCATION) and line.endswith(b"}\n"):
            end = line.find(b'","task":', len(_LOCATION))
            if end < 0:
                return False
            key = line[len(_LOCATION) : end]
            earlier = self._lines.get(key)
            if earlier is None:
                self._lines[key] = line
            else:
                lines = earlier if isinstance(earlier, tuple) else (earlier,)
                self._lines[key] = (*lines[1 - _AT_HAND :], line)
            return True
        if line.startswith(_CODE):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                values = orjson.loads(line)
                self._codes[values["code"]] = dict(values["symbols"])
                return True
        return line == b"\n"

    def sources(self) -> dict[str, str]:
        """Return the source texts that were kept, by fingerprint; all journals are read for it."""
        found: dict[str, str] = {}
        for name, _ in self._journals():
            for line in (self._content(name, 0) or b"").splitlines():
                if line.startswith(_CODE):
                    with contextlib.suppress(ValueError, AttributeError):
                        values: dict[str, Any] = orjson.loads(line)
                        found.update(values.get("sources", {}))
        return found


_RECORDS: dict[tuple[int, str], Records] = {}
_lock = threading.Lock()


def records_in(folder: str, store: Store | None = None) -> Records:
    """Return the records of a folder; a process has one object for each.

    Parameters:
        folder: an absolute path or a URL.
        store: reads and writes bytes behind a URL; None for a path.
    """
    key = os.getpid(), folder.rstrip("/")  # a forked process writes a journal of its own
    found = _RECORDS.get(key)
    if found is None:
        with _lock:
            found = _RECORDS.setdefault(key, Records(folder, store))
    return found

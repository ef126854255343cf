"""Records of the outputs under one folder: looked up by location, written by this process."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from prefectx.item import Item, Store
from prefectx.records.journal import FOLDER, FileJournal, Journal, ObjectJournal, new_run
from prefectx.records.kept import Kept
from prefectx.records.lines import Lines
from prefectx.records.record import Failure, Record
from prefectx.records.snapshot import made, merge
from prefectx.stores import Filestore

_log = logging.getLogger("prefectx.records")


class Records:
    """The records that lie in `.prefectx/records/` of one folder.

    They are read once, when the first is asked for, and again when an output turns out to be
    newer than its record.

    Parameters:
        folder: the folder, or the URL, that locations are relative to.
        store: reads and writes bytes behind a URL; None for a path.

    Attributes:
        folder: the folder.
        store: the store.
        kept: arguments of failed calls and texts of small files.
    """

    def __init__(self, folder: str, store: Store | None = None) -> None:
        self.folder = folder
        self.store = store
        self._begin = folder.rstrip("/") + "/"
        self.kept = Kept(f"{self._begin}{FOLDER}", store)
        self._place = f"{self._begin}{FOLDER}/records"
        self._run = new_run()
        self._lines = Lines(self._place, store)
        self._written_codes: set[str] = set()
        self._is_written = False
        self._journal: Journal = (
            FileJournal(self._place, self._run)
            if store is None
            else ObjectJournal(self._place, store, self._run)
        )

    def name_of(self, store: Store, location: str) -> str:
        """Return the name of an output in records: of a file its path below the folder."""
        if not isinstance(store, Filestore):
            return f"{type(store).__name__}:{getattr(store, 'database', '')}:{location}"
        begin = self._begin
        return location[len(begin) :] if location.startswith(begin) else location

    def find(self, item: Item[object]) -> list[Record]:
        """Return the records of an output, the newest first."""
        return self.named(self.name_of(item.store, item.location))

    def named(self, location: str) -> list[Record]:
        """Return the records of an output by the name that it has in records, the newest first."""
        found = []
        for line in self._lines.of(location):
            try:
                found.append(Record.of_line(line))
            except ValueError as error:
                _log.warning("A record of %s cannot be read: %s", location, error)
        return sorted(found, key=lambda record: record.made, reverse=True)

    def newest(self, store: Store, location: str) -> Mapping[str, Any] | None:
        """Return the newest record of an output, None if there is none.

        It costs less than `find`, and nothing in it was checked.
        """
        line = self._lines.newest(self.name_of(store, location))
        if line is None:
            return None
        try:
            found = orjson.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def all(self) -> Iterator[Record]:
        """Yield the newest record of each output, by location, in bounded memory."""
        for line in self._lines.all():
            try:
                yield Record.of_line(line)
            except ValueError as error:
                _log.warning("A record in %s cannot be read: %s", self._place, error)

    def failures(self) -> list[Failure]:
        """Return the calls that failed the last time that they ran, the latest first."""
        found = []
        for line in self._lines.failures():
            try:
                failure = Failure.of_line(line)
            except ValueError as error:
                _log.warning("A failure in %s cannot be read: %s", self._place, error)
                continue
            newest = self._lines.newest(failure.failed) if failure.failed else None
            if newest is None or made(newest) < failure.made:
                found.append(failure)
        return sorted(found, key=lambda failure: failure.made, reverse=True)

    def run(self, name: str) -> Mapping[str, Any]:
        """Return what is known of a process that made outputs.

        It is its host, the versions of Python and prefectx, and when it began; empty if unknown.
        """
        return self._lines.run(name)

    def is_written_by_another(self, run: str) -> bool:
        """Tell whether another process that made outputs may still run; true if nobody can tell."""
        if run == self._run:
            return False
        if self.store is not None:
            return True
        try:
            with open(f"{self._place}/{run}.jsonl", "rb") as stream:  # noqa: PTH123
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False  # it is over: its journal was merged
        except OSError:
            return True
        return False

    def symbols(self, code: str | None) -> Mapping[str, str | None]:
        """Return the fingerprints of the symbols that code consists of; empty if unknown."""
        return self._lines.symbols(code or "")

    def sources(self) -> dict[str, str]:
        """Return the source texts that were kept, by fingerprint."""
        return self._lines.sources()

    def add(self, record: Record) -> None:
        """Keep a record."""
        if not self._is_written and self.store is None:
            self._is_written = True
            merge(self._place, self._run)
        self._append(record._replace(run=self._run).line())

    def add_failure(self, failure: Failure) -> None:
        """Keep the record of a call that failed."""
        self._append(failure._replace(run=self._run).line())

    def remove(self, name: str, task: str) -> None:
        """Forget an output that was deleted on purpose.

        Parameters:
            name: its name in records.
            task: the name of its task.
        """
        known = self.named(name)
        made = max(round(time.time(), 3), known[0].made + 0.001 if known else 0.0)
        self.add(Record(name, task, "", None, None, None, {}, made=made, removed=True))

    def _append(self, line: bytes) -> None:
        self._journal.append(line)
        self._lines.add(line)

    def add_code(
        self, digest: str, symbols: Mapping[str, str | None], sources: Mapping[str, str]
    ) -> None:
        """Keep what a fingerprint of code consists of, once in a process.

        Parameters:
            digest: the fingerprint of all of it.
            symbols: the fingerprint of each symbol.
            sources: the source of each of these fingerprints.
        """
        if digest not in self._written_codes:
            self._written_codes.add(digest)
            values = {"code": digest, "symbols": dict(symbols), "sources": dict(sources)}
            self._append(orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE))

    def refresh(self) -> None:
        """Read what was written since the last time."""
        self._lines.refresh()

    def close(self) -> None:
        """Write what is not written yet, and close the journal of this process."""
        self._journal.close()


_RECORDS: dict[tuple[int, str], Records] = {}
_lock = threading.Lock()


def reset() -> None:
    """Forget what was read, and close the journals of this process."""
    with _lock:
        for records in _RECORDS.values():
            records.close()
        _RECORDS.clear()


def records_in(folder: str, store: Store | None = None) -> Records:
    """Return the records of a folder; a process has one object for each.

    Parameters:
        folder: an absolute path or a URL.
        store: reads and writes bytes behind a URL; None for a path.
    """
    key = os.getpid(), folder  # a forked process writes a journal of its own
    found = _RECORDS.get(key)
    if found is None:
        with _lock:
            found = _RECORDS.setdefault(key, Records(folder, store))
    return found

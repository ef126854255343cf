"""Snapshots: closed journals merged into one file, sorted by location.

A record is found without reading the file; once many are asked for, all of it is read.
"""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH105, PTH108, PTH123, PTH208

from __future__ import annotations

import contextlib
import fcntl
import heapq
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import groupby, islice
from uuid import uuid4

import orjson

from prefectx.records.journal import opening_line
from prefectx.records.record import FORMAT

PREFIX = "snapshot-"
LOCATION = b'{"location":"'
CODE = b'{"code":"'
FAILED = b'{"failed":"'
OPENING = b'{"format":'
_REMOVED = b'"removed":true}'
# How many records of one location are kept: two writers may overtake each other.
KEPT = 8
# From this many journals on they are merged.
_MANY = 32
# How many are merged at once: each is a file that is open meanwhile.
_AT_ONCE = 256
# After this many single searches all of a snapshot is read: it is cheaper then.
_SEARCHES = 200


def key_of(line: bytes) -> bytes | None:
    """Return what stands for the location in a record's line, None if it is damaged."""
    end = line.find(b'","task":', len(LOCATION))
    return line[len(LOCATION) : end] if end >= 0 and line.endswith(b"}\n") else None


def made(line: bytes) -> float:
    """Return when the record in a line was made, 0 if it does not say so."""
    try:
        return float(orjson.loads(line)["made"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def failed_key(line: bytes) -> bytes:
    """Return what stands for location and task in the line of a failure."""
    return line[len(FAILED) : line.find(b'","function":')]


def is_removal(line: bytes) -> bool:
    """Tell whether a line says that an output was deleted on purpose."""
    return line.rstrip().endswith(_REMOVED)


class Snapshot:
    """The records of one snapshot.

    Parameters:
        path: the file.

    Attributes:
        header: the lines on processes, on what code consists of, and on failures.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: str) -> None:
        with open(path, "rb") as stream:
            opening = stream.readline()
            self.format = _format(opening)
            self.header: list[bytes] = []
            self._begin = stream.tell()
            for line in iter(stream.readline, b""):
                if not line.startswith((CODE, FAILED, OPENING)):
                    break
                self.header.append(line)
                self._begin = stream.tell()
            size = os.fstat(stream.fileno()).st_size
            is_empty = size <= self._begin
            self._map = None if is_empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        self._searches = 0
        self._lines: dict[bytes, tuple[bytes, ...]] | None = None

    def find(self, key: bytes) -> tuple[bytes, ...]:
        """Return the lines of a location, the oldest first."""
        if self._map is None:
            return ()
        if self._lines is None:
            self._searches += 1
            if self._searches <= _SEARCHES:
                return tuple(self._search(key))
            self._lines = {
                name: tuple(lines) for name, lines in groupby(self.lines(), key_of) if name
            }
        return self._lines.get(key, ())

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of all records, sorted by location."""
        content, begin = self._map, self._begin
        while content is not None and begin < len(content):
            end = content.find(b"\n", begin) + 1 or len(content)
            yield content[begin:end]
            begin = end

    def _search(self, key: bytes) -> Iterator[bytes]:
        content = self._map
        assert content is not None
        low, high = self._begin, len(content)
        while low < high:  # of the lines that begin from `low` on and before `high`
            middle = content.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = content.find(b"\n", middle) + 1 or len(content)
            found = key_of(content[middle:end])
            if found is not None and found < key:
                low = end
            else:
                high = middle
        while low < len(content):
            end = content.find(b"\n", low) + 1 or len(content)
            line = content[low:end]
            if key_of(line) != key:
                return
            yield line
            low = end


def _format(opening: bytes) -> object:
    try:
        return orjson.loads(opening)["format"]
    except (ValueError, TypeError, KeyError):
        return None


def merge(folder: str, run: str) -> None:
    """Merge the closed journals of a folder, and earlier snapshots, if there are many.

    The snapshot is there before anything is removed, so that who reads meanwhile misses nothing.

    Parameters:
        folder: the folder of journals, a local path.
        run: names this process.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
    except OSError:
        return
    if len(names) < _MANY:
        return
    with ExitStack() as opened, contextlib.suppress(OSError):
        lock = opened.enter_context(open(f"{folder}/merging.lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        paths = [f"{folder}/{name}" for name in names]
        closed = (path for path in paths if _is_closed(path, opened))
        sources = list(islice(closed, _AT_ONCE))
        if len(sources) < _MANY // 2:
            return
        place = f"{folder}/{PREFIX}{uuid4().hex}"
        try:
            with open(f"{place}.tmp", "wb") as stream:
                stream.write(opening_line(run))
                stream.writelines(_merged(sources))
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(f"{place}.tmp", f"{place}.jsonl")
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(f"{place}.tmp")
            raise
        for source in sources:
            os.unlink(source)


def _is_closed(path: str, opened: ExitStack) -> bool:
    """Tell whether a file can be merged: it is of this format, and nobody writes to it.

    Who writes holds the lock of a journal. It is ours until `opened` is closed.
    """
    try:
        stream = opened.enter_context(open(path, "rb"))  # noqa: SIM115  # that closes it
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _format(stream.readline()) == FORMAT
    except OSError:
        return False


def _merged(sources: Iterable[str]) -> Iterator[bytes]:
    """Yield the lines of journals and snapshots: the header, then the records, sorted."""
    header: dict[bytes, None] = {}
    failures: dict[bytes, tuple[float, bytes]] = {}
    records: list[tuple[bytes, float, bytes]] = []
    for source in sources:
        with open(source, "rb") as stream:
            for line in stream:
                if not line.endswith(b"}\n"):
                    continue
                if line.startswith((CODE, OPENING)):
                    header[line] = None
                elif line.startswith(FAILED):
                    key, when = failed_key(line), made(line)
                    failures[key] = max((when, line), failures.get(key, (when, line)))
                elif line.startswith(LOCATION) and (name := key_of(line)) is not None:
                    records.append((name, made(line), line))
    yield from header
    yield from (line for _, line in failures.values())
    records.sort(key=lambda record: record[:2])
    for _, same in groupby(records, lambda record: record[0]):
        yield from (line for _, _, line in heapq.nlargest(KEPT, same, key=lambda r: r[1])[::-1])

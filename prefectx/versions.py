"""Versions: fingerprints of bytes, of outputs and of the files that tasks read."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116, PTH118, PTH123

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from typing import Any, BinaryIO

import xxhash

# Size in bytes, time of change in nanoseconds, version, None if unknown; None: there is no file.
FileState = Sequence[Any] | None

_BLOCK = 1 << 20
# What was hashed in this process: size and time tell whether it is the same still.
_known: dict[str, tuple[tuple[int, int, int], str]] = {}
# Two changes within this time may have the same time.
_TICK_NS = 2_000_000_000


def version_of_stream(stream: BinaryIO) -> str:
    """Return the version of the bytes from here to the end: 32 hexadecimal digits (xxh3-128)."""
    made = xxhash.xxh3_128()
    while block := stream.read(_BLOCK):
        made.update(block)
    return made.hexdigest()


def version_of_path(path: str) -> str | None:
    """Return the version of a file, or of a folder with all that is in it; None if there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(found.st_mode):
        made = xxhash.xxh3_128()
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                inner = os.path.join(folder, name)
                made.update(f"{os.path.relpath(inner, path)}\0{version_of_path(inner)}\0".encode(
                    "utf-8", "surrogateescape"))  # fmt: skip
        return made.hexdigest()
    state = (found.st_size, found.st_mtime_ns, found.st_ino)
    known = _known.get(path)
    if known is not None and known[0] == state:
        return known[1]
    with open(path, "rb") as stream:
        version = version_of_stream(stream)
        after = os.fstat(stream.fileno())
    is_same = (after.st_size, after.st_mtime_ns, after.st_ino) == state
    if is_same and time.time_ns() - found.st_mtime_ns > _TICK_NS:
        _known[path] = (state, version)
    return version


def state_of_path(path: str) -> tuple[int, int]:
    """Return size and time of change of a file; of a folder those of all that is in it.

    Raises:
        OSError: there is none, or it cannot be looked up.
    """
    found = os.stat(path)
    size, newest = found.st_size, found.st_mtime_ns
    if stat.S_ISDIR(found.st_mode):
        size = 0
        for folder, folders, names in os.walk(path):
            for name in (*folders, *names):
                found = os.stat(os.path.join(folder, name), follow_symlinks=False)
                newest = max(newest, found.st_mtime_ns)
                size += 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return size, newest


def file_state(path: str, limit: int | None) -> FileState:
    """Return size, time and version of what a task reads; None if there is nothing.

    Parameters:
        path: a file or a folder.
        limit: if it has more bytes only size and time count.
    """
    try:
        size, mtime = state_of_path(path)
        version = None if limit is not None and size > limit else version_of_path(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return [None, None, None]
    return [size, mtime, version]


def is_changed(path: str, before: FileState, made: float) -> bool | None:
    """Tell whether a file or folder is no longer as it was; None: that cannot be told.

    Parameters:
        path: the file.
        before: its state then.
        made: when that was, in seconds since 1970.
    """
    try:
        state = state_of_path(path)
    except (FileNotFoundError, NotADirectoryError):
        return before is not None
    except (OSError, ValueError):
        return None
    if before is None:
        return True
    size, mtime, version = before
    if size is None:
        return None
    if state == (size, mtime) and (version is None or state[1] <= made * 1e9 - _TICK_NS):
        return False
    if state[0] != size or version is None:
        return True
    try:
        return bool(version_of_path(path) != version)
    except OSError:
        return None


def is_same_state(path: str, before: FileState) -> bool:
    """Tell whether a file still has its size and time: nothing wrote to it meanwhile."""
    try:
        state = state_of_path(path)
    except OSError:
        return before is None
    return before is not None and list(state) == list(before[:2])

"""Outputs that a function writes itself: in a temporary folder first, then moved into place."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH102, PTH103, PTH104, PTH105, PTH108, PTH112, PTH114, PTH116
# ruff: noqa: PTH208

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

# The start of the names of our own files and folders, which are not outputs.
_PREFIX = ".prefectx-aside-"
# A folder is locked right after it was made: one that is unlocked for longer is abandoned.
_YOUNG = 60.0


@contextmanager
def written_aside(location: str, *, fsync: bool) -> Iterator[str]:
    """Give a path to write to, and move what is written into place unless there is an error.

    The path has the final name, in a temporary folder beside the final one. What else is written
    in that folder moves along, the output last. What a failed block made at the final place
    itself is removed.

    Parameters:
        location: the final path; one that ends in `/` is a folder, which is there to be filled.
        fsync: write the files to the disk first.
    """
    final = location.rstrip("/")
    parent, name = os.path.split(final)
    os.makedirs(parent, exist_ok=True)
    _remove_abandoned(parent)
    temporary = f"{parent}/{_PREFIX}{uuid4().hex}"
    os.mkdir(temporary)
    lock = os.open(temporary, os.O_RDONLY)
    _try_lock(lock)
    before = _version(final)
    try:
        inner = f"{temporary}/{name}"
        if location.endswith("/"):
            os.mkdir(inner)
            inner += "/"
        yield inner
        written = sorted(os.listdir(temporary), key=lambda entry: entry == name)
        if name in written and _version(final) != before and _is_empty_folder(inner):
            # The function has filled the final folder itself.
            written.remove(name)
        for entry in written:
            if fsync:
                _sync_all(f"{temporary}/{entry}")
            _move(f"{temporary}/{entry}", f"{parent}/{entry}", temporary)
    except BaseException:
        if _version(final) != before:
            _remove(final)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: str) -> None:
    """Remove the temporary folders that killed processes left; their locks ended with them."""
    with os.scandir(parent) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
    for path in found:
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDONLY)
            try:
                if time.time() - os.fstat(lock).st_mtime > _YOUNG and _try_lock(lock):
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _version(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file or the content of a folder is written; None if absent."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _is_empty_folder(path: str) -> bool:
    return path.endswith("/") and not os.listdir(path)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _move(source: str, target: str, temporary: str) -> None:
    if os.path.isdir(source) and os.path.isdir(target):
        # A folder cannot be replaced in one step: there is a moment without it.
        os.rename(target, f"{temporary}/{uuid4().hex}")
    os.replace(source, target)


def _sync_all(path: str) -> None:
    names = [f"{folder}/{name}" for folder, _, inside in os.walk(path) for name in inside]
    for name in names or [path]:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

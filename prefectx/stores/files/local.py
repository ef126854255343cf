"""Local files: whole or not there, at the speed of plain files. Paths are absolute strings."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH103, PTH105, PTH108, PTH116, PTH120, PTH123

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import stat
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prefectx.errors import StoreError
from prefectx.item import ItemInfo
from prefectx.stores.files.namesakes import TELLING, check, kept_apart

# The bits of a mode that say what kind of file it is, and what they are for a folder.
_KIND, _FOLDER = 0o170000, stat.S_IFDIR
# What begins the names of our own files, which are no outputs.
HIDDEN = ".prefectx-"
# From this many locations in one folder on, listing it is faster than asking for each.
_LIST_FROM = 16
# Reading an entry costs about half of asking: past this many for each location it does not pay.
_LIST_TIMES = 3
# A temporary file of another host, whose processes we cannot ask for, counts as left behind
# when nothing was written to it for this many seconds.
_ABANDONED = 24 * 3600

# Looked up once: every finished call asks.
_stat = os.stat
_HOST = os.uname().nodename
_counter = itertools.count()
_swept: set[str] = set()


def exists(path: str) -> bool:
    """Tell whether a file is at `path`; a folder there, or no way to look, is an error."""
    try:
        found = _stat(path)
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot look for {path}: {error}; choose another target") from error
    if found.st_mode & _KIND == _FOLDER:
        raise StoreError(
            f"{path} is a folder, where a file should be kept: choose another target, or "
            "remove the folder"
        )
    if found.st_dev not in TELLING:
        check(path, found.st_dev)
    return True


def exists_many(paths: Iterable[str]) -> set[str]:
    """Return those of `paths` where a file is, listing a folder that holds many of them."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[path.rpartition("/")[0]].append(path)
    found: set[str] = set()
    for folder, inside in folders.items():
        worth = _LIST_TIMES * len(inside) if len(inside) >= _LIST_FROM else 0
        files, others = _listing(folder, worth)
        if files:
            # A listing tells names as they are, but not how the folder's own name is spelled.
            exists(next(iter(files)))
        found.update(
            path
            for path in inside
            if path in files or ((others is None or path in others) and exists(path))
        )
    return found


def _listing(folder: str, at_most: int) -> tuple[set[str], set[str] | None]:
    """Return the plain files of a folder and what else is in it, or None for not known.

    Parameters:
        folder: the folder.
        at_most: entries that are worth reading; a folder that holds more is not read on.
    """
    files: set[str] = set()
    others: set[str] = set()
    if not at_most:
        return files, None
    try:
        with os.scandir(folder or "/") as entries:
            for entry in itertools.islice(entries, at_most):
                kind = files if entry.is_file(follow_symlinks=False) else others
                kind.add(f"{folder}/{entry.name}")
            if next(entries, None) is not None:
                return files, None
    except FileNotFoundError:
        return set(), set()
    except OSError:
        # A folder that may not be listed may still be looked into.
        return set(), None
    return files, others


@contextmanager
def replacing(path: str, *, fsync: bool) -> Iterator[str]:
    """Give a temporary file to write; put it in the place of `path` when all went well.

    Parameters:
        path: where the file is to be; folders above it are made.
        fsync: bring the content to the disk first, so that a power cut cannot empty it.
    """
    descriptor, temporary = _create_beside(path)
    try:
        yield temporary
        _keep_mode(descriptor, path)
        if fsync:
            os.fsync(descriptor)
        with kept_apart(path, temporary):
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    _sweep_once(os.path.dirname(path))


def _create_beside(path: str) -> tuple[int, str]:
    folder = os.path.dirname(path)
    temporary = f"{folder}/{HIDDEN}{_HOST}-{os.getpid()}-{next(_counter)}.tmp"
    try:
        descriptor = open_making_folders(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR)
    except FileExistsError as error:
        if error.filename != temporary:
            raise
        # Left behind by a killed process that had this process's id.
        return _create_beside(path)
    _try_lock(descriptor)
    return descriptor, temporary


def open_making_folders(path: str, flags: int) -> int:
    """Open a file as `os.open` does, and make the folders above it where they are missing."""
    try:
        return os.open(path, flags | os.O_CLOEXEC, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags | os.O_CLOEXEC, 0o666)


def _keep_mode(descriptor: int, path: str) -> None:
    """Give a file that replaces another the other's permissions."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    os.fchmod(descriptor, stat.S_IMODE(mode))


def _sweep_once(folder: str) -> None:
    """Remove what killed processes left in a folder, the first time that we save there."""
    if folder in _swept:
        return
    _swept.add(folder)
    with os.scandir(folder) as entries:
        leftovers = [e for e in entries if e.name.startswith(HIDDEN) and e.name.endswith(".tmp")]
    for entry in leftovers:
        # Another process may sweep at the same time.
        with contextlib.suppress(FileNotFoundError):
            if _is_abandoned(entry):
                os.unlink(entry.path)


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    host, _, rest = entry.name.removeprefix(HIDDEN).removesuffix(".tmp").rpartition("-")
    host, _, pid = host.rpartition("-")
    if not (pid.isdigit() and rest.isdigit()):
        return False
    if host == _HOST and _is_running(int(pid)):
        return False
    if host != _HOST and time.time() - entry.stat().st_mtime < _ABANDONED:
        return False
    # Another container may have our host's name and its own process ids: its lock tells.
    with open(entry.path, "rb") as stream:
        return _try_lock(stream.fileno())


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _try_lock(descriptor: int) -> bool:
    """Lock a file for as long as it is open; False where another has it or no lock can be had."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def delete(path: str) -> None:
    """Remove the file at `path`, if there is one."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        check(path, os.lstat(path).st_dev)
        os.unlink(path)


def listing(prefix: str) -> Iterator[str]:
    """Yield the files whose paths begin with `prefix`."""
    for folder, folders, names in os.walk(os.path.dirname(prefix)):
        base = folder.rstrip("/")
        folders[:] = sorted(f for f in folders if _may_hold(f"{base}/{f}/", prefix))
        for name in sorted(names):
            path = f"{base}/{name}"
            if path.startswith(prefix) and not name.startswith(HIDDEN):
                yield path


def _may_hold(folder: str, prefix: str) -> bool:
    return folder.startswith(prefix) or prefix.startswith(folder)


def info(path: str) -> ItemInfo:
    """Tell the size and the time of the file at `path`."""
    found = os.stat(path)
    check(path, found.st_dev)
    return ItemInfo(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


@contextmanager
def reading(path: str) -> Iterator[str]:
    """Give the local path to read: `path` itself."""
    with contextlib.suppress(OSError, ValueError):  # who reads it will say that
        check(path, os.stat(path).st_dev)
    yield path

"""Local files: whole or absent, at the speed of plain files. Paths are absolute strings.

Longer than 250 lines as one class with what it calls: splitting it would cost a call or a jump.
"""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH103, PTH105, PTH108, PTH116, PTH120

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from prefectx.errors import StoreError
from prefectx.item import ItemInfo
from prefectx.stores.files.case_folding import SpellingGuard
from prefectx.stores.files.leftovers import HIDDEN, MACHINE, STARTED, remove_abandoned

# The bits of a mode that give the kind of file, and their value for a folder.
_KIND, _FOLDER = 0o170000, stat.S_IFDIR
# From this many locations in one folder on, listing it is faster than a stat for each.
_LIST_FROM = 16
# Reading an entry costs about half a stat: more entries per location than this do not pay.
_LIST_TIMES = 3
_stat = os.stat  # looked up once: every finished call uses it


class LocalFiles:
    """Files on this machine. The process has one, `LOCAL`; it learns about folders and devices."""

    __slots__ = ("_case_sensitive", "_counter", "_spelling", "_swept")

    def __init__(self) -> None:
        self._counter = itertools.count()
        self.reset()

    def reset(self) -> None:
        """Forget what was learned, for tests that mount file systems or leave files behind."""
        self._spelling = SpellingGuard()
        self._case_sensitive = self._spelling.case_sensitive_devices
        self._swept: set[str] = set()

    def exists(self, path: str) -> bool:
        """Tell whether a file is at `path`.

        Raises:
            StoreError: it is a folder, the path cannot be looked up, or a file is there under a
                name that this file system takes for the same.
        """
        try:
            found = _stat(path)
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot look for {path}: {error}; choose another target") from error
        if found.st_mode & _KIND == _FOLDER and path[-1] != "/":
            raise StoreError(
                f"{path} is a folder, where a file should be kept: choose another target, or "
                "remove the folder"
            )
        if found.st_dev not in self._case_sensitive:
            self._spelling.check(path, found.st_dev)
        return True

    def exists_many(self, paths: Iterable[str]) -> set[str]:
        """Return those of `paths` where a file is, listing a folder that holds many of them."""
        folders: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            folders[path.rstrip("/").rpartition("/")[0]].append(path)
        found: set[str] = set()
        for folder, inside in folders.items():
            worth = _LIST_TIMES * len(inside) if len(inside) >= _LIST_FROM else 0
            files, others = _list_folder(folder, worth)
            if files:
                # A listing has the files' own names, but not the folder's.
                self.exists(next(iter(files)))
            found.update(
                path
                for path in inside
                if path in files
                or ((others is None or path.rstrip("/") in others) and self.exists(path))
            )
        return found

    @contextmanager
    def replacing(self, path: str, *, fsync: bool) -> Iterator[str]:
        """Give a temporary file to write, and move it to `path` unless there is an error.

        If there is a file at `path`, its permissions are kept. The temporary file has them, too.

        Parameters:
            path: where the file will be; missing folders are made.
            fsync: write the content to the disk first, so that a power cut cannot empty the file.
        """
        folder = os.path.dirname(path)
        descriptor, temporary = self._create_temporary(folder, _mode(path))
        try:
            yield temporary
            mode = _mode(path)
            if mode is not None and mode != stat.S_IMODE(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, mode)
            if fsync:
                os.fsync(descriptor)
            if folder in self._spelling.case_sensitive_folders:
                os.replace(temporary, path)
            else:
                with self._spelling.exclusive(path, temporary):
                    os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
        self.sweep(folder)

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left in a folder, once in a process."""
        if folder not in self._swept:
            self._swept.add(folder)
            remove_abandoned(folder)

    def _create_temporary(self, folder: str, mode: int | None) -> tuple[int, str]:
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        # It is written by its name, which a file that nobody may write does not allow.
        first = None if mode is None else mode | stat.S_IRUSR | stat.S_IWUSR
        while True:
            number = next(self._counter)
            path = f"{folder}/{HIDDEN}{MACHINE}-{os.getpid()}-{STARTED}-{number}.tmp"
            descriptor = open_making_folders(path, flags, 0o666 if first is None else first)
            try:
                # Another process may have taken it for abandoned before it was locked.
                if _is_ours(descriptor) and os.fstat(descriptor).st_nlink:
                    if first is not None:
                        os.fchmod(descriptor, first)
                    return descriptor, path
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    @contextmanager
    def reading(self, path: str) -> Iterator[str]:
        """Give the local path to read: `path` itself."""
        with contextlib.suppress(OSError, ValueError):  # the reader will raise it again
            device = os.stat(path).st_dev
            if device not in self._case_sensitive:
                self._spelling.check(path, device)
        yield path

    def check(self, path: str) -> None:
        """Refuse nothing: missing folders are made."""

    def delete(self, path: str) -> None:
        """Remove the file at `path`, if there is one."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._spelling.check(path, os.lstat(path).st_dev)
            if path[-1] == "/":
                shutil.rmtree(path)
            else:
                os.unlink(path)

    def aside(self, path: str, *, fsync: bool) -> AbstractContextManager[str]:
        """Give a path to write to, and move what is there to `path` unless there is an error."""
        from prefectx.stores.files.aside import written_aside

        return written_aside(path, fsync=fsync)

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the files whose paths begin with `prefix`."""
        for folder, folders, names in os.walk(os.path.dirname(prefix)):
            base = folder.rstrip("/")
            inside = ((name, f"{base}/{name}/") for name in sorted(folders))
            folders[:] = [
                name
                for name, path in inside
                if (path.startswith(prefix) or prefix.startswith(path))
                and not name.startswith(HIDDEN)
            ]
            for name in sorted(names):
                path = f"{base}/{name}"
                if path.startswith(prefix) and not name.startswith(HIDDEN):
                    yield path

    def info(self, path: str) -> ItemInfo:
        """Return the size and the time of the file at `path`."""
        found = os.stat(path)
        self._spelling.check(path, found.st_dev)
        return ItemInfo(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


LOCAL = LocalFiles()


def open_making_folders(path: str, flags: int, mode: int = 0o666) -> int:
    """Open a file as `os.open` does, and make missing folders above it."""
    try:
        return os.open(path, flags | os.O_CLOEXEC, mode)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags | os.O_CLOEXEC, mode)


def _is_ours(descriptor: int) -> bool:
    """Lock a new file while it is open; false if another process was faster."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _mode(path: str) -> int | None:
    """Return the permissions of the file at `path`, None if there is none."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _list_folder(folder: str, at_most: int) -> tuple[set[str], set[str] | None]:
    """Return plain files of a folder, and its other entries; None if not all was read.

    Parameters:
        folder: the folder.
        at_most: how many entries to read.
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
        # A folder may forbid listing and still allow access to its files.
        return set(), None
    return files, others

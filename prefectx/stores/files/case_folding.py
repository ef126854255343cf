"""Names that a file system takes for the same: they differ in case, or in Unicode composition.

Most Macs have such a file system. Two outputs would silently share a file; here that is an error.
"""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116, PTH120, PTH208

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from prefectx.errors import SaveError, StoreError

# The coarsest clock of a file system that we know of, vfat's.
_TICK_NS = 2_000_000_000
_MOST_LISTINGS = 64


class SpellingGuard:
    """Refuses paths whose file or folder has another name on the disk.

    Attributes:
        case_sensitive_devices: devices that tell upper from lower case; nothing to check there.
        case_sensitive_folders: folders that do. On Linux a single folder may not, so saving
            checks each folder once.
    """

    __slots__ = ("_listings", "_verified", "case_sensitive_devices", "case_sensitive_folders")

    def __init__(self) -> None:
        self.case_sensitive_devices: set[int] = set()
        self.case_sensitive_folders: set[str] = set()
        self._verified: set[str] = set()
        self._listings: dict[tuple[str, int], frozenset[str]] = {}

    def check(self, path: str, device: int) -> None:
        """Refuse the path of an existing file if the file has another name.

        Parameters:
            path: where the file is.
            device: the device that it is on.

        Raises:
            StoreError: a part of the path is spelled differently on the disk.
        """
        if device in self.case_sensitive_devices:
            return
        folds = _folds_case(path)
        if folds is False:
            self.case_sensitive_devices.add(device)
        elif folds:
            self._check_spelling(path)

    @contextmanager
    def exclusive(self, path: str, beside: str) -> Iterator[None]:
        """Keep other processes from creating a file whose name means `path`, as long as it lasts.

        Parameters:
            path: where a file will be put.
            beside: an existing file in the same folder.

        Raises:
            SaveError: such a file exists.
        """
        folder = os.path.dirname(path)
        folds = _folds_case(beside)
        if folds is False:
            self.case_sensitive_folders.add(folder)
        if not folds:
            yield
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                self._check_spelling(path if os.path.lexists(path) else beside)
            except StoreError as error:
                raise SaveError(str(error)) from error
            yield
        finally:
            os.close(descriptor)

    def _check_spelling(self, path: str) -> None:
        folder, name = os.path.split(path)
        if folder not in self._verified:
            # The names of a mount point and of the folders above it belong to another file system.
            if os.stat(folder).st_dev == os.stat(os.path.dirname(folder)).st_dev and folder != "/":
                self._check_spelling(folder)
            self._verified.add(folder)
        names = self._names(folder)
        if name not in names:
            found = next((other for other in names if _fold(other) == _fold(name)), "another name")
            raise StoreError(
                f"{path} is {found!r} there: this file system ignores differences in case, and in "
                "how letters are composed. Choose targets that differ in more than that, or spell "
                "it as it is there"
            )

    def _names(self, folder: str) -> frozenset[str]:
        changed = os.stat(folder).st_mtime_ns
        if known := self._listings.get((folder, changed)):
            return known
        names = frozenset(os.listdir(folder))
        # A folder that changed just now may change again within one tick of the clock.
        if time.time_ns() - changed > _TICK_NS:
            if len(self._listings) >= _MOST_LISTINGS:
                self._listings.clear()
            self._listings[folder, changed] = names
        return names


def _folds_case(path: str) -> bool | None:
    """Tell whether the file system of a file ignores case; None if no name on the path tells."""
    with contextlib.suppress(FileNotFoundError):
        device = os.stat(os.path.dirname(path)).st_dev
        while path != "/" and os.stat(os.path.dirname(path)).st_dev == device:
            folder, name = os.path.split(path)
            # In bytes only A to Z are swapped, which all such file systems agree on.
            other = os.fsdecode(os.fsencode(name).swapcase())
            if other != name:
                return _is_one_file(path, f"{folder}/{other}")
            path = folder
    return None


def _is_one_file(path: str, other: str) -> bool | None:
    """Tell whether two paths find one file; None if it was replaced meanwhile."""
    before = os.lstat(path)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(before, os.lstat(other)):
            return True
    return False if os.path.samestat(before, os.lstat(path)) else None


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()

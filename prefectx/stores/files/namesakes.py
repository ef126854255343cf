"""File systems that take names for the same which differ in case, or in how letters are composed.

Most Macs have one. Two outputs would share a file there, unnoticed: that is an error instead.
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
from functools import lru_cache

from prefectx.errors import SaveError, StoreError

# Devices on which upper and lower case are known to differ: nothing is to be looked for there.
TELLING: set[int] = set()
# On Linux a single folder may take names for the same, so that saving asks for each.
_telling_folders: set[str] = set()
_well_spelled: set[str] = set()
# The coarsest clock of a file system that we know of, vfat's.
_TICK_NS = 2_000_000_000


def check(path: str, device: int) -> None:
    """Refuse a path at which there is a file of another name.

    Parameters:
        path: where something is.
        device: the device that it is on.

    Raises:
        StoreError: where a part of the path is spelled otherwise on the disk.
    """
    if device in TELLING:
        return
    folds = _folds(path)
    if folds is False:
        TELLING.add(device)
    elif folds:
        _check_spelling(path)


@contextmanager
def kept_apart(path: str, beside: str) -> Iterator[None]:
    """Let nobody put a namesake of `path` in its place meanwhile.

    Parameters:
        path: where a file is to be put.
        beside: the path of another one in the same folder.

    Raises:
        SaveError: where there is a namesake.
    """
    folder = os.path.dirname(path)
    if _tells(folder, beside):
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # no locks there: what can be seen is still seen
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            _check_spelling(path if os.path.lexists(path) else beside)
        except StoreError as error:
            raise SaveError(str(error)) from error
        yield
    finally:
        os.close(descriptor)


def _tells(folder: str, beside: str) -> bool:
    folds = folder not in _telling_folders and _folds(beside)
    if folds is False:
        _telling_folders.add(folder)
    return not folds


def _folds(path: str) -> bool | None:
    """Tell whether upper and lower case are the same where a file is; None where no name tells."""
    with contextlib.suppress(FileNotFoundError):
        device = os.stat(os.path.dirname(path)).st_dev
        while path != "/" and os.stat(os.path.dirname(path)).st_dev == device:
            folder, name = os.path.split(path)
            other = _swapped(name)
            if other != name:
                return _is_one_file(path, f"{folder}/{other}")
            path = folder
    return None


def _swapped(name: str) -> str:
    # Of bytes only the letters from A to Z are swapped, which all such file systems agree on.
    return os.fsdecode(os.fsencode(name).swapcase())


def _is_one_file(path: str, other: str) -> bool | None:
    """Tell whether two paths find one file; None where somebody replaced it meanwhile."""
    before = os.lstat(path)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(before, os.lstat(other)):
            return True
    return False if os.path.samestat(before, os.lstat(path)) else None


def _check_spelling(path: str) -> None:
    folder, name = os.path.split(path)
    if folder not in _well_spelled:
        # The name of what is mounted, and of all above it, is another file system's.
        if os.stat(folder).st_dev == os.stat(os.path.dirname(folder)).st_dev and folder != "/":
            _check_spelling(folder)
        _well_spelled.add(folder)
    names = _names(folder)
    if name not in names:
        found = next((other for other in names if _key(other) == _key(name)), "another name")
        raise StoreError(
            f"{path} is {found!r} there: this file system takes names for the same that differ "
            "in case, or in how letters are composed. Choose targets that differ in more than "
            "that, or spell it as it is there"
        )


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _names(folder: str) -> frozenset[str]:
    changed = os.stat(folder).st_mtime_ns
    # What changed just now may change again without a sign of it.
    is_settled = time.time_ns() - changed > _TICK_NS
    return (_listed if is_settled else _listed.__wrapped__)(folder, changed)


@lru_cache(maxsize=64)
def _listed(folder: str, changed: int) -> frozenset[str]:
    return frozenset(os.listdir(folder))

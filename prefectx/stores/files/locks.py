"""A lock per local file, between threads, processes and hosts; it ends with its holder."""
# The order of the system calls makes the lock hold.
# ruff: noqa: PTH108

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from prefectx.errors import StoreError
from prefectx.stores.files.leftovers import HIDDEN, is_same_file
from prefectx.stores.files.local import LOCAL, open_making_folders

_log = logging.getLogger("prefectx.stores")


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold the lock of the file at `path`; wait while another holds it.

    Raises:
        StoreError: the folder cannot be written, or its file system has no locks.
    """
    folder, _, name = path.rpartition("/")
    lock = f"{folder}/{HIDDEN}{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"
    try:
        descriptor = _acquire(lock, path)
    except OSError as error:
        raise StoreError(
            f"cannot lock {path}: {error.strerror}; lock = true needs a writable folder on a "
            "file system with locks"
        ) from error
    LOCAL.sweep(folder)
    try:
        yield
    finally:
        # Removed while it is held: whoever waits for it notices, and makes a new one.
        if is_same_file(lock, descriptor):
            os.unlink(lock)
        os.close(descriptor)


def _acquire(lock: str, path: str) -> int:
    while True:
        descriptor = open_making_folders(lock, os.O_CREAT | os.O_RDWR)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("Waiting for %s, which another run is making", path)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_same_file(lock, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)

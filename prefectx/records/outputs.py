"""Outputs in their stores: their state, and the version that an item stands for."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import os

from prefectx.errors import StoreError
from prefectx.item import Item
from prefectx.records.records import Records
from prefectx.stores import Filestore

# Size in bytes and time of change in nanoseconds, each None if the store does not know it.
State = tuple[int | None, int | None]


def version_of(item: Item[object], records: Records) -> str | None:
    """Return the version of an output as it is now, None if there is none or it is unknown."""
    if item.version is not None:
        return item.version
    state = state_of(item)
    if state is None:
        return None
    for record in records.find(item):
        if (record.size, record.mtime) == state:
            return record.version
    return read_version(item)


def read_version(item: Item[object]) -> str | None:
    """Return the version of an output by its content, None if it cannot be read."""
    try:
        return item.store.version(item.location)
    except (OSError, StoreError, NotImplementedError):
        return None


def state_of(item: Item[object]) -> State | None:
    """Return size and time of an output, without reading it; None if there is none.

    Of a folder the size of all files in it, and the newest time.
    """
    location = item.location
    try:
        if not isinstance(item.store, Filestore) or "://" in location:
            info = item.info()
            return info.size, None if info.saved is None else round(info.saved.timestamp() * 1e9)
        found = os.stat(location)
        if not location.endswith("/"):
            return found.st_size, found.st_mtime_ns
        size, newest = 0, found.st_mtime_ns
        for folder, _, names in os.walk(location):
            for name in names:
                found = os.stat(os.path.join(folder, name))
                size, newest = size + found.st_size, max(newest, found.st_mtime_ns)
        return size, newest
    except (OSError, ValueError, StoreError, NotImplementedError):
        return None

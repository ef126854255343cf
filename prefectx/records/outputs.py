"""Outputs on disk: their state, and the version that an item stands for."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116

from __future__ import annotations

import os

from prefectx.item import Item
from prefectx.records.records import Records
from prefectx.stores import Filestore
from prefectx.versions import version_of_path


def version_of(item: Item[object], records: Records) -> str | None:
    """Return the version of an output as it is now, None if there is none or it is unknown."""
    if item.version is not None:
        return item.version
    recorded = records.find(item)
    if not is_local_file(item):
        if recorded:
            return recorded[0].version
        return item.store.version(item.location) if item.exists() else None
    state = state_of(item.location)
    if state is None and not item.location.endswith("/"):
        return None
    for record in recorded:
        if (record.size, record.mtime) == state:
            return record.version
    return version_of_path(item.location)


def is_local_file(item: Item[object]) -> bool:
    """Tell whether an output is a file or folder of this machine."""
    return isinstance(item.store, Filestore) and "://" not in item.location


def state_of(location: str) -> tuple[int, int] | None:
    """Return size and time of a local file, None if there is none; of a folder nothing is told."""
    try:
        found = os.stat(location)
    except OSError:
        return None
    return None if location.endswith("/") else (found.st_size, found.st_mtime_ns)

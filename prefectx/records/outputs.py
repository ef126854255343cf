"""Outputs in their stores: their state, and the version that an item stands for."""

from __future__ import annotations

import copy

from prefectx.errors import StoreError
from prefectx.item import Item, OutputState, Store
from prefectx.lazy_outputs import lazy_output
from prefectx.planned_outputs import planned
from prefectx.records.records import Records
from prefectx.stores import Filestore
from prefectx.versions import state_of_path


def version_of(item: Item[object], records: Records) -> str | None:
    """Return the version of an output as it is now, None if there is none or it is unknown."""
    plan = planned()
    if plan is not None and plan.exists(item) is not None:
        return plan.versions.get(item)  # None if a run would make it first
    lazy = lazy_output(item)
    if lazy is not None:
        return lazy.version
    is_local = isinstance(item.store, Filestore) and "://" not in item.location
    if item.version is not None and not is_local:
        return item.version  # asking would cost a request
    state = state_of(item)
    if state is None:
        return None
    if item.version is not None and item.state == state:
        return item.version
    newest = records.newest(item.store, item.location)
    if newest is not None and (newest.get("size"), newest.get("mtime")) == state:
        return newest.get("version")
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


def state_of(item: Item[object]) -> OutputState | None:
    """Return size and time of an output, without reading it; None if there is none.

    Of a folder the size of all files in it, and the newest time.
    """
    location = item.location
    try:
        if not isinstance(item.store, Filestore) or "://" in location:
            info = item.info()
            return info.size, None if info.saved is None else round(info.saved.timestamp() * 1e9)
        return state_of_path(location)
    except (OSError, ValueError, StoreError, NotImplementedError):
        return None


def bytes_store(store: Store | None) -> Store:
    """Return a store that keeps bytes as they are, with the access of another one."""
    if not isinstance(store, Filestore):
        return Filestore(format=".bin")
    copied = copy.copy(store)
    copied.format, copied.signing_key, copied.fsync = ".bin", None, False
    return copied

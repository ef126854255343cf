"""Earlier versions of outputs: kept beside the records, put back instead of made once more."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH103, PTH105, PTH108, PTH120

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from uuid import uuid4

from prefectx.arguments.signature import Arguments
from prefectx.item import Item
from prefectx.records.journal import FOLDER
from prefectx.records.lineage import Lineage
from prefectx.records.outputs import state_of
from prefectx.records.record import Record
from prefectx.stores import Filestore
from prefectx.versions import version_of_path


def keep_version(lineage: Lineage, item: Item[object]) -> None:
    """Keep the output that was just saved, beside the last ones before it.

    It is linked, and copied only where the file system has no links. Folders, and what is behind a
    URL or in a database, are not kept.

    Parameters:
        lineage: what it is made from.
        item: the output.
    """
    place = _place(lineage, item)
    if place is None or item.version is None:
        return
    os.makedirs(place, exist_ok=True)
    _link(item.location, f"{place}/{item.version}")
    with os.scandir(place) as entries:
        found = sorted(entries, key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in found[lineage.origin.keep + 1 :]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(entry.path)


def put_back(lineage: Lineage | None, item: Item[object] | None, arguments: Arguments) -> bool:
    """Put an earlier version back that was made from just what the call is made from now.

    Parameters:
        lineage: what the output is made from, with its records; None if nothing is recorded.
        item: the output, None if none is kept.
        arguments: the arguments of the call by name, with the items among them.

    Returns:
        Whether there was one.
    """
    if lineage is None or item is None:
        return False
    for record, path in _candidates(lineage, item, arguments):
        if version_of_path(path) != record.version:
            os.unlink(path)  # it was edited as the output, which was the same file
            continue
        _link(path, item.location)
        state = state_of(item)
        if state is not None:
            lineage.records.add(record._replace(size=state[0], mtime=state[1]))
        item.stands_for(record.version, state)
        return True
    return False


def version_to_put_back(
    lineage: Lineage | None, item: Item[object], arguments: Arguments
) -> str | None:
    """Return the version that `put_back` would put back, None if there is none."""
    found = () if lineage is None else _candidates(lineage, item, arguments)
    return next((r.version for r, path in found if version_of_path(path) == r.version), None)


def _candidates(
    lineage: Lineage, item: Item[object], arguments: Arguments
) -> Iterator[tuple[Record, str]]:
    """Yield the versions that were made from just the same, and the files that keep them."""
    place = _place(lineage, item)
    if place is None:
        return
    for record in lineage.recorded:
        path = f"{place}/{record.version}"
        if os.path.exists(path) and lineage.is_same(record, arguments):  # noqa: PTH110
            yield record, path


def _place(lineage: Lineage, item: Item[object]) -> str | None:
    """Return the folder of an output's earlier versions, None if none are kept."""
    is_file = isinstance(item.store, Filestore) and not item.location.endswith("/")
    if not lineage.origin.keep or not is_file or "://" in item.location:
        return None
    name = lineage.records.name_of(item.store, item.location).lstrip("/")
    return f"{lineage.origin.folder}/{FOLDER}/versions/{name}"


def _link(source: str, target: str) -> None:
    """Let a file be at another place too, whole or not at all."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{os.path.dirname(target)}/.prefectx-{uuid4().hex}.tmp"
    try:
        try:
            os.link(source, temporary)
        except OSError:  # a file system without links
            shutil.copy2(source, temporary)
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)

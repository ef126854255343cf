"""What the text of outputs cannot say, as the types of a CSV's columns: files beside them.

They lie in `.prefectx/types/` of a folder above the output, by the output's path below that folder
and a hash of its bytes. So whichever of several writers wins, the output that is there has its
types, and a folder that is moved with its `.prefectx` keeps them. The folder is the nearest with a
`.prefectx`, else the nearest with a `prefectx.toml`, else the output's own; behind URLs, where
looking up is slow, always its own. Types are looked for in all folders above.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from prefectx.stores.files.protocol import Files

_FOLDER = ".prefectx/types"
# How many versions of one output have their types kept: those of other writers, and older ones.
_VERSIONS = 8
# The content for an output that needs no types.
_NONE = b"null"


def write_types(
    files: Files, location: str, version: str, types: bytes | None, *, fsync: bool
) -> None:
    """Keep the types of an output, before it is moved to `location`.

    Parameters:
        files: where the output is.
        location: the location of the output.
        version: the fingerprint of its bytes.
        types: what its bytes cannot say; None if they say all, which is kept only where types of
            other versions are, so that these are not taken for those of this one.
        fsync: write the types to the disk first.
    """
    if types is None:
        folder = next(_folders(location, existing=True), None)
        if folder is None or not _has_types(files, folder):
            return
    else:
        folder = next(_folders(location, existing=False))
    with files.replacing(f"{folder}/{version}.json", fsync=fsync) as path:
        Path(path).write_bytes(_NONE if types is None else types)
    for old in _newest_first(folder)[_VERSIONS:]:
        with contextlib.suppress(FileNotFoundError):
            Path(old).unlink()


def read_types(files: Files, location: str, version: str) -> tuple[bytes | None, bool]:
    """Return the types of an output, None if there are none, and whether they are of its bytes.

    Parameters:
        files: where the output is.
        location: the location of the output.
        version: the fingerprint of its bytes.
    """
    folders = list(_folders(location, existing=True))
    for folder in folders:
        with (
            contextlib.suppress(FileNotFoundError),
            files.reading(f"{folder}/{version}.json") as path,
        ):
            types = Path(path).read_bytes()
            return None if types == _NONE else types, True
    # The output was edited: its last types, as far as they fit.
    for folder in folders:
        for path in _newest_first(folder)[:1]:
            types = Path(path).read_bytes()
            return None if types == _NONE else types, False
    return None, True


def delete_types(files: Files, location: str) -> None:
    """Remove the types of an output that was deleted."""
    for folder in _folders(location, existing=True):
        for path in list(files.list(f"{folder}/")):
            files.delete(path)
        if "://" not in folder:
            # The folders of other outputs stay.
            with contextlib.suppress(OSError):
                os.removedirs(folder)


def _has_types(files: Files, folder: str) -> bool:
    return "://" not in folder or next(iter(files.list(f"{folder}/")), None) is not None


def _folders(location: str, *, existing: bool) -> Iterator[str]:
    """Yield the folders that may hold the types of an output, the first choice first."""
    above, _, name = location.rpartition("/")
    own = f"{above}/{_FOLDER}/{name}"
    if "://" in location:
        yield own
        return
    marked = {".prefectx": [], "prefectx.toml": []}  # type: dict[str, list[str]]
    folder, below = above, name
    while True:
        for mark, found in marked.items():
            if os.path.exists(f"{folder}/{mark}"):  # noqa: PTH110  # a hundred times faster
                found.append(f"{folder}/{_FOLDER}/{below}")
        if not folder:
            break
        folder, _, last = folder.rpartition("/")
        below = f"{last}/{below}"
    candidates = [*marked[".prefectx"], *marked["prefectx.toml"], own]
    yield from (c for c in dict.fromkeys(candidates) if not existing or os.path.isdir(c))  # noqa: PTH112


def _newest_first(folder: str) -> list[str]:
    if "://" in folder:
        return []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        found = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.endswith(".json")]
        return [path for _, path in sorted(found, reverse=True)]
    return []

"""What is kept beside the records: arguments of failed calls, and texts of small files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefectx.errors import StoreError
from prefectx.item import Store
from prefectx.stores import Filestore

_log = logging.getLogger("prefectx.records")
_LONGEST_TEXT = 65_536


class Kept:
    """Files beside the records of one folder.

    Parameters:
        folder: the folder `.prefectx`, a local path or a URL.
        store: reads and writes bytes behind a URL; None for a path.
    """

    def __init__(self, folder: str, store: Store | None) -> None:
        self._folder = folder
        self._store = store or Filestore(format=".bin", fsync=False)
        self._texts: set[str] = set()

    def add_arguments(self, name: str, content: bytes) -> None:
        """Keep the pickled arguments of a failed call."""
        self._store.save(f"{self._folder}/failed/{name}", content)

    def arguments(self, name: str) -> bytes:
        """Return the pickled arguments of a failed call.

        Raises:
            FileNotFoundError: they are not there.
        """
        return bytes(self._store.load(f"{self._folder}/failed/{name}"))

    def add_text(self, path: str, state: Sequence[Any]) -> None:
        """Keep the text of a small file, once for each version, to show later what changed in it.

        Parameters:
            path: the file.
            state: its size, time and version.
        """
        size, _, version = state
        if version is None or size is None or size > _LONGEST_TEXT or version in self._texts:
            return
        self._texts.add(version)
        place = f"{self._folder}/texts/{version}"
        try:
            if not self._store.exists(place):
                self._store.save(place, Path(path).read_bytes())
        except (OSError, StoreError) as error:
            _log.warning("The text of %s is not kept: %s", path, error)

    def text(self, version: str | None) -> str | None:
        """Return the text of a version of a file, None if it was not kept or is no text."""
        try:
            return bytes(self._store.load(f"{self._folder}/texts/{version}")).decode()
        except (OSError, StoreError, UnicodeDecodeError):
            return None

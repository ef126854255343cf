"""Filestore: outputs as ordinary files, on this machine or wherever fsspec reaches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from prefectx.formats import (
    Format,
    adopt_formats,
    get_format,
    known_suffix,
    registered_formats,
)
from prefectx.item import ItemInfo, Store
from prefectx.stores import local
from prefectx.stores.reasons import is_passed_on, load_error, save_error


class Filestore(Store):
    """Keep outputs as files, in the format that their names say.

    Parameters:
        format: the suffix of the format to use whatever the names say, such as `.parquet`.
        fsync: bring every output to the disk before it counts as saved, so that a power cut
            cannot leave an empty file; about 3 ms each on a local disk.
        exact: read back what a format may not keep, and refuse to save what would come back
            different; with false, what the format can hold is saved.
        mmap: map `.npy` and `.feather` files into memory when they are loaded, read-only.

    Raises:
        ConfigError: where `format` is not known.
    """

    def __init__(
        self,
        format: str | None = None,
        fsync: bool = True,
        *,
        exact: bool = True,
        mmap: bool = False,
    ) -> None:
        self.format = None if format is None else get_format(format).suffix
        self.fsync = fsync
        self.exact = exact
        self.mmap = mmap

    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`."""
        return local.exists(location)

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist, listing a folder that holds many of them."""
        return local.exists_many(locations)

    def save(self, location: str, data: Any) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: where it cannot be kept; what was there before is as it was.
        """
        format = self._format(location)
        try:
            with local.replacing(location, fsync=self.fsync) as temporary:
                self._write(temporary, data, format)
        except Exception as error:
            if is_passed_on(error):
                raise
            raise save_error(location, format.suffix, data, error) from error

    def load(self, location: str) -> Any:
        """Read the output at `location` back.

        Raises:
            FileNotFoundError: where nothing is kept there.
            CorruptItemError: where what is kept cannot be read.
            StoreError: where the file cannot be reached.
        """
        format = self._format(location)
        with local.reading(location) as path:
            try:
                return self._read(path, format)
            except FileNotFoundError:
                raise
            except Exception as error:
                if is_passed_on(error):
                    raise
                raise load_error(location, format, error) from error

    def delete(self, location: str) -> None:
        """Remove the output at `location`; nothing happens where there is none."""
        local.delete(location)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`."""
        return local.listing(prefix)

    def info(self, location: str) -> ItemInfo:
        """Tell size and time saved of the output at `location`."""
        return local.info(location)

    def locate(self, root: str, target: str) -> str:
        """Return the absolute path, or the URL, of `target` under `root`."""
        if "://" in target:
            return _plain(target)
        if "://" in root and not target.startswith("/"):
            return _plain(f"{root.rstrip('/')}/{target}")
        return os.path.abspath(os.path.join(root, target))  # noqa: PTH100, PTH118  # for speed

    def suffix(self, location: str) -> str:
        """Return the part of the name that says its format (`.json.gz`), or ""."""
        name = location.rpartition("/")[2]
        if self.format is None:
            return known_suffix(name)
        fits = name.lower().endswith(self.format) and len(name) > len(self.format)
        return name[-len(self.format) :] if fits else ""

    def fspath(self, location: str) -> str:
        """Return the local path of `location`.

        Raises:
            TypeError: where it is not a local file.
        """
        return super().fspath(location) if "://" in location else location

    def _format(self, location: str) -> Format:
        return get_format(self.format or self.suffix(location) or ".pkl")

    def _write(self, path: str, data: Any, format: Format) -> None:
        with open(path, "wb") as stream:  # noqa: PTH123  # for speed
            format.dump(data, stream)
        if self.exact and format.verify is not None:
            with open(path, "rb") as stream:  # noqa: PTH123  # for speed
                format.verify(data, stream)

    def _read(self, path: str, format: Format) -> Any:
        if self.mmap and format.load_mapped is not None:
            return format.load_mapped(path)
        with open(path, "rb") as stream:  # noqa: PTH123  # for speed
            return format.load(stream)

    def __getstate__(self) -> dict[str, Any]:
        # Formats that this program registered must be known where the store travels to.
        formats = registered_formats()
        return {**vars(self), "_formats": formats} if formats else vars(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        adopt_formats(state.pop("_formats", {}))
        vars(self).update(state)


def _plain(url: str) -> str:
    """Return the absolute path of a URL that means a local file, any other URL as it is."""
    protocol, _, path = url.partition("://")
    return os.path.abspath(path) if protocol in {"file", "local"} else url  # noqa: PTH100

"""Filestore: outputs as ordinary files, on this machine or behind any URL that fsspec knows.

Longer than 250 lines as one class: how an output is saved, loaded and deleted with all beside it.
"""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH100, PTH118, PTH123

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from prefectx.errors import StoreError
from prefectx.formats import FORMATS, Format, FormatError, get_format, known_suffix
from prefectx.item import WRITTEN, ItemInfo, Store, Written
from prefectx.masking import mask_urls
from prefectx.stores.error_messages import (
    UNWRAPPED,
    load_error,
    pickle_refused,
    save_error,
)
from prefectx.stores.files.local import LOCAL
from prefectx.stores.files.protocol import Files
from prefectx.stores.files.signatures import Signed, delete_signed, read_signed
from prefectx.stores.files.types import delete_types, read_types, write_types
from prefectx.stores.secrets import WITHHELD, Secret
from prefectx.stores.signing import SigningKey
from prefectx.versions import version_of_path, version_of_stream

# What `abspath` would shorten, and URLs.
_UNTIDY = re.compile(r"//|\.\.|(^|/)\.(/|$)")

# Pickles up to this size are loaded at saving, as objects may fail to load: the way back runs code
# of their own. Larger ones are mostly data, which would take too much memory twice.
_LOADED = 1_000_000


class Filestore(Store):
    """Keep outputs as files, in the format of their suffix.

    Parameters:
        format: the suffix of the format for all files, whatever their names, such as `.parquet`.
        fsync: write every output to the disk before it counts as saved, so that a power cut
            cannot leave an empty file; about 3 ms each on a local disk.
        exact: read back what a format may not keep, and refuse to save data that would come back
            different; if false, save what the format can hold.
        mmap: map `.npy` and `.feather` files into memory when they are loaded, read-only.
        allow_pickle: if false, refuse to save and to load pickles: loading one runs code.
        signing_key: sign outputs, and refuse to load what is not signed with this key.
        storage_options: options for fsspec's file systems, such as keys and endpoints.

    Raises:
        ConfigError: `format` is unknown.
    """

    def __init__(
        self,
        format: str | None = None,
        fsync: bool = True,
        *,
        exact: bool = True,
        mmap: bool = False,
        allow_pickle: bool = True,
        signing_key: str | None = None,
        storage_options: Mapping[str, object] | None = None,
    ) -> None:
        self.format = None if format is None else get_format(format).suffix
        self.fsync = fsync
        self.exact = exact
        self.mmap = mmap
        self.allow_pickle = allow_pickle
        self.signing_key = None if signing_key is None else SigningKey(signing_key)
        self._storage_options = Secret(dict(storage_options or {}))

    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`.

        Raises:
            StoreError: a folder is there, or the location cannot be looked up.
        """
        return (self._files(location) if "://" in location else LOCAL).exists(location)

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist, listing a folder that holds many of them."""
        locations = list(locations)
        remote = [location for location in locations if "://" in location]
        if not remote:
            return LOCAL.exists_many(locations)
        here = LOCAL.exists_many(location for location in locations if "://" not in location)
        return here | self._files(remote[0]).exists_many(remote)

    def save(self, location: str, data: object) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: it cannot be kept; what was there before is unchanged.
        """
        format = self._format(location)
        try:
            files, key, typed = self._files(location), self.signing_key, format.typed
            signing: AbstractContextManager[Signed | None] = nullcontext()
            if key is not None:
                signing = Signed(key, files, location, typed=bool(typed), fsync=self.fsync)
            with signing as signed, files.replacing(location, fsync=self.fsync) as temporary:
                with open(temporary, "wb", opener=_open_untruncated) as stream:
                    token = WITHHELD.set(True)
                    try:
                        types = _dump(format, data, stream)
                    finally:
                        WITHHELD.reset(token)
                written = WRITTEN.get()
                with open(temporary, "rb") as stream:
                    if self.exact:
                        _verify(format, data, stream, types)
                    if typed is not None or written is not None:
                        stream.seek(0)
                        version = version_of_stream(stream)
                        found = os.fstat(stream.fileno())
                if typed is not None:
                    write_types(files, location, version, types, fsync=self.fsync)
                if signed is not None:
                    signed.write(temporary, types)
                if written is not None:
                    is_moved = "://" not in location
                    mtime = found.st_mtime_ns if is_moved else None
                    written(Written(version, found.st_size, mtime))
            if typed is not None and types is None:
                # Another writer may have kept types in the meantime.
                write_types(files, location, version, None, fsync=self.fsync)
        except UNWRAPPED:
            raise
        except Exception as error:
            raise save_error(location, format.suffix, data, error) from error

    def load(self, location: str) -> Any:
        """Read the output at `location`.

        Raises:
            FileNotFoundError: nothing is kept there.
            CorruptItemError: the file cannot be read, or has no valid signature.
            StoreError: the file cannot be reached, or is a pickle and those are not allowed.
        """
        if location[-1:] == "/":
            return self._load_folder(location)
        format = self._format(location)
        files = self._files(location)
        with files.reading(location) as path:
            try:
                maps = self.mmap and path == location and self.signing_key is None
                if maps and format.load_mapped is not None:
                    return format.load_mapped(path)
                # Opened once: what is identified and verified is what is read.
                with open(path, "rb") as stream:
                    if self.signing_key is None and format.typed is None:
                        return format.load(stream)
                    return self._load_checked(format, location, stream)
            except (FileNotFoundError, *UNWRAPPED):
                raise
            except Exception as error:
                raise load_error(location, format, error) from error

    def _load_checked(self, format: Format, location: str, stream: BinaryIO) -> object:
        files, types, fits = self._files(location), None, True
        typed = format.typed is not None
        if self.signing_key is not None:
            content, types, fits = read_signed(
                self.signing_key, files, location, stream.read(), typed=typed
            )
            stream = io.BytesIO(content)
        elif typed:
            types, fits = read_types(files, location, version_of_stream(stream))
            stream.seek(0)
        if format.typed is not None and types is not None:
            return format.typed.load(stream, types, fits)
        return format.load(stream)

    def delete(self, location: str) -> None:
        """Remove the output at `location`, if there is one."""
        files, typed = self._files(location), self._format_of(location).typed is not None
        if self.signing_key is None:
            files.delete(location)
        else:
            delete_signed(self.signing_key, files, location, typed=typed)
        if typed:
            delete_types(files, location)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`, a path or a URL."""
        folder = prefix.rpartition("/")[0]
        for location in self._files(prefix).list(prefix):
            if "/.prefectx/" not in location[len(folder) :]:
                yield location

    def info(self, location: str) -> ItemInfo:
        """Return the size of the output at `location` and when it was saved."""
        return self._files(location).info(location)

    def version(self, location: str) -> str | None:
        """Return the fingerprint of a local output's bytes; behind URLs of its size and time."""
        return super().version(location) if "://" in location else version_of_path(location)

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context that holds the lock of `location` against all threads and hosts.

        Raises:
            StoreError: there are no locks, as behind URLs.
        """
        if "://" in location:
            raise StoreError(
                f"lock = true is not possible at {mask_urls(location)}: {type(self).__name__} "
                "locks local paths only, as services have no lock that ends with its holder. Keep "
                "the output in a folder or a database, or use lock = false: two runs may then both "
                "make it, and it is whole in any case"
            )
        from prefectx.stores.files.locks import locked

        return locked(location)

    @contextmanager
    def aside(self, location: str) -> Iterator[str]:
        """Return a context for a function that writes the output at `location` itself.

        It gives a path in a temporary folder beside the location, under the final name; the
        folders above are made. What is there becomes the output if there is no error.
        """
        files = self._files(location)
        with files.aside(location, fsync=self.fsync) as path:
            yield path
        if self._format_of(location).typed is not None:
            # Types of an output that was saved here before.
            delete_types(files, location)

    def check(self, location: str) -> None:
        """Look for the bucket of a URL, once in a process.

        Raises:
            StoreError: there is none, or the service cannot be reached.
        """
        if "://" in location:
            self._files(location).check(location)

    def locate(self, root: str, target: str) -> str:
        """Return the absolute path, or the URL, of `target` under `root`."""
        if root[:1] == "/" != target[:1] and not _UNTIDY.search(target):
            return f"{root.rstrip('/')}/{target}"
        if "://" not in target and "://" in root and not target.startswith("/"):
            target = f"{root.rstrip('/')}/{target}"
        protocol, is_url, path = target.partition("://")
        if is_url and protocol not in {"file", "local"}:
            return target
        # A folder keeps its slash.
        ending = "/" if target.endswith("/") else ""
        return os.path.abspath(path if is_url else os.path.join(root, target)) + ending

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
            TypeError: it is not a local file.
        """
        return super().fspath(location) if "://" in location else location

    def _load_folder(self, location: str) -> Path:
        """Return the path of a folder: only its readers know what is in it."""
        if "://" in location:
            raise StoreError(f"{location} is a folder behind a URL: read it where it is")
        if not self.exists(location):
            raise FileNotFoundError(f"no folder is at {location}")
        return Path(location)

    def _files(self, location: str) -> Files:
        if "://" not in location:
            return LOCAL
        from prefectx.stores.files.remote import RemoteFiles

        return RemoteFiles(self._storage_options.get())

    def _format_of(self, location: str) -> Format:
        if self.format is not None:
            return get_format(self.format)
        name = location.rpartition("/")[2]
        stem, _, ending = name.rpartition(".")
        # Cached by ending: there are few endings, and many names.
        return FORMATS.of_ending(ending if stem else "") or FORMATS.of_name(name)

    def _format(self, location: str) -> Format:
        format = self._format_of(location)
        if format.runs_code and not self.allow_pickle:
            raise pickle_refused(location)
        return format

    def __getstate__(self) -> tuple[dict[str, object], dict[str, Format]]:
        # The formats that this program registered travel along.
        return vars(self), FORMATS.registered()

    def __setstate__(self, state: tuple[dict[str, object], dict[str, Format]]) -> None:
        attributes, formats = state
        FORMATS.adopt(formats)
        vars(self).update(attributes)


def _dump(format: Format, data: object, stream: BinaryIO) -> bytes | None:
    """Write an object, and return the types to keep beside it."""
    if format.typed is not None:
        return format.typed.dump(data, stream)
    write(format, data, stream)
    return None


def _verify(format: Format, data: object, stream: BinaryIO, types: bytes | None) -> None:
    """Refuse what would come back different, or not at all."""
    if format.verify is None:
        if format.runs_code:
            check_loadable(format, stream)
    elif format.typed is None:
        format.verify(data, stream)
    else:
        format.typed.verify(data, stream, types)


def write(format: Format, data: object, stream: BinaryIO) -> None:
    """Write an object to an empty stream, by the format's fallback if it cannot itself."""
    try:
        format.dump(data, stream)
    except OSError:
        raise
    except Exception:
        if format.fallback is None:
            raise
        stream.seek(0)
        stream.truncate()
        format.fallback(data, stream)


def check_loadable(format: Format, stream: BinaryIO) -> None:
    """Raise `FormatError` if what was written cannot be read."""
    if stream.seek(0, os.SEEK_END) > _LOADED:
        return
    stream.seek(0)
    try:
        format.load(stream)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise FormatError(f"it could not be loaded again: {reason}") from error


def _open_untruncated(path: str, flags: int) -> int:
    # Some file systems flush a file that was truncated, even an empty one, when it is closed.
    return os.open(path, flags & ~os.O_TRUNC)

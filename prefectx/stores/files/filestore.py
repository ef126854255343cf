"""Filestore: outputs as ordinary files, on this machine or wherever fsspec reaches."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from prefectx.errors import StoreError
from prefectx.formats import Format, adopt_formats, get_format, known_suffix, registered_formats
from prefectx.item import ItemInfo, Store
from prefectx.stores.files import content, local
from prefectx.stores.files.reasons import (
    is_passed_on,
    load_error,
    not_signed,
    pickle_refused,
    save_error,
)
from prefectx.stores.signing import SigningKey

# What `abspath` would shorten, and URLs.
_UNTIDY = re.compile(r"//|\.\.|(^|/)\.(/|$)")


class _Files(Protocol):
    """Where files are: on this machine, or behind URLs."""

    def exists(self, path: str, /) -> bool: ...
    def exists_many(self, paths: Iterable[str], /) -> set[str]: ...
    def replacing(self, path: str, /, *, fsync: bool) -> AbstractContextManager[str]: ...
    def reading(self, path: str, /) -> AbstractContextManager[str]: ...
    def delete(self, path: str, /) -> None: ...
    def listing(self, prefix: str, /) -> Iterator[str]: ...
    def info(self, path: str, /) -> ItemInfo: ...


class Filestore(Store):
    """Keep outputs as files, in the format that their names say.

    Parameters:
        format: the suffix of the format to use whatever the names say, such as `.parquet`.
        fsync: bring every output to the disk before it counts as saved, so that a power cut
            cannot leave an empty file; about 3 ms each on a local disk.
        exact: read back what a format may not keep, and refuse to save what would come back
            different; with false, what the format can hold is saved.
        mmap: map `.npy` and `.feather` files into memory when they are loaded, read-only.
        allow_pickle: with false, refuse to save and to load pickles: loading one runs code.
        signing_key: sign what is saved, and refuse to load what is not signed with this key.
        storage_options: what fsspec's file systems are given, such as keys and endpoints.

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
        allow_pickle: bool = True,
        signing_key: str | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.format = None if format is None else get_format(format).suffix
        self.fsync = fsync
        self.exact = exact
        self.mmap = mmap
        self.allow_pickle = allow_pickle
        self.signing_key = None if signing_key is None else SigningKey(signing_key)
        # Hidden from the repr: there may be passwords in it.
        self._storage_options = dict(storage_options or {})

    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`.

        Raises:
            StoreError: where a folder is there, or no way to look.
        """
        return (self._files(location) if "://" in location else local).exists(location)

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist, listing a folder that holds many of them."""
        locations = list(locations)
        remote = [location for location in locations if "://" in location]
        if not remote:
            return local.exists_many(locations)
        here = local.exists_many(location for location in locations if "://" not in location)
        return here | self._files(remote[0]).exists_many(remote)

    def save(self, location: str, data: Any) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: where it cannot be kept; what was there before is as it was.
        """
        format = self._format(location)
        try:
            with self._files(location).replacing(location, fsync=self.fsync) as temporary:
                content.write(temporary, data, format, exact=self.exact)
                if self.signing_key is not None:
                    self._sign(self.signing_key, location, temporary)
        except Exception as error:
            if is_passed_on(error):
                raise
            raise save_error(location, format.suffix, data, error) from error

    def load(self, location: str) -> Any:
        """Read the output at `location` back.

        Raises:
            FileNotFoundError: where nothing is kept there.
            CorruptItemError: where what is kept cannot be read, or is not signed as it must.
            StoreError: where the file cannot be reached, or is a pickle and none is allowed.
        """
        format = self._format(location)
        with self._files(location).reading(location) as path:
            try:
                if self.signing_key is not None:
                    return content.parsed(self._signed(self.signing_key, location, path), format)
                return content.read(path, format, mmap=self.mmap and path == location)
            except FileNotFoundError:
                raise
            except Exception as error:
                if is_passed_on(error):
                    raise
                raise load_error(location, format, error) from error

    def delete(self, location: str) -> None:
        """Remove the output at `location`; nothing happens where there is none."""
        self._files(location).delete(location)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`, a path or a URL."""
        return self._files(prefix).listing(prefix)

    def info(self, location: str) -> ItemInfo:
        """Tell size and time saved of the output at `location`."""
        return self._files(location).info(location)

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context in which no other thread, process or host has the lock of `location`.

        Raises:
            StoreError: where it cannot be locked, as behind URLs.
        """
        if "://" in location:
            raise StoreError(
                f"lock = true is not possible at {location}: {type(self).__name__} locks local "
                "paths only, as a service has no lock that dies with its holder. Keep the output "
                "in a folder or a database, or let two runs make it (lock = false): it is whole "
                "in any case"
            )
        from prefectx.stores.files.locks import locked

        return locked(location)

    def locate(self, root: str, target: str) -> str:
        """Return the absolute path, or the URL, of `target` under `root`."""
        if root[:1] == "/" != target[:1] and not _UNTIDY.search(target):
            return f"{root.rstrip('/')}/{target}"
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

    def _files(self, location: str) -> _Files:
        if "://" not in location:
            return local
        from prefectx.stores.files.remote import RemoteFiles

        return RemoteFiles(self._storage_options)

    def _format(self, location: str) -> Format:
        format = get_format(self.format or self.suffix(location) or ".pkl")
        if format.runs_code and not self.allow_pickle:
            raise pickle_refused(location)
        return format

    def _sign(self, key: SigningKey, location: str, temporary: str) -> None:
        # Written before the output is put in its place, named by what it signs and never changed:
        # the output that is there, whoever of several writers it is from, always has one.
        with Path(temporary).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").digest()
        signature = key.sign(_place(location), digest)
        beside = _signature_location(location, signature)
        with self._files(location).replacing(beside, fsync=self.fsync) as path:
            Path(path).write_text(signature)

    def _signed(self, key: SigningKey, location: str, path: str) -> bytes:
        # Read once: what is parsed is what was compared, whoever writes meanwhile.
        found = Path(path).read_bytes()
        signature = key.sign(_place(location), hashlib.sha256(found).digest())
        try:
            with self._files(location).reading(_signature_location(location, signature)) as beside:
                genuine = hmac.compare_digest(Path(beside).read_bytes(), signature.encode())
        except FileNotFoundError:
            genuine = False
        if not genuine:
            raise not_signed(location)
        return found

    def __getstate__(self) -> dict[str, Any]:
        # Formats that this program registered must be known where the store travels to.
        formats = registered_formats()
        return {**vars(self), "_formats": formats} if formats else vars(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        adopt_formats(state.pop("_formats", {}))
        vars(self).update(state)


def _place(location: str) -> str:
    # Not the whole path, so that a folder of outputs can move.
    return "/".join(location.rsplit("/", 2)[-2:])


def _signature_location(location: str, signature: str) -> str:
    # Half of it makes a name; the other half, in the file, cannot be guessed from a listing.
    return f"{location.rpartition('/')[0]}/{local.HIDDEN}{signature[:32]}.sig"


def _plain(url: str) -> str:
    """Return the absolute path of a URL that means a local file, any other URL as it is."""
    protocol, _, path = url.partition("://")
    return os.path.abspath(path) if protocol in {"file", "local"} else url  # noqa: PTH100

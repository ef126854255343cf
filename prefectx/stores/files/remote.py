"""Files behind a URL, through fsspec: the same functions as for local files.

An upload is a single put where the service shows an object only when it is whole, and else a
put under another name that is then moved.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefectx.errors import MissingDependencyError, StoreError
from prefectx.imports import require
from prefectx.item import ItemInfo
from prefectx.stores.files.local import HIDDEN

# Services where an object is there when its upload is complete, and not before.
_WHOLE_PUTS = {"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "s3", "s3a"}
# Some servers of S3's protocol take an object away for a moment while it is replaced, or send
# the checksum of one and the content of the other; after so many seconds it is read again.
_PAUSES = (0.05, 0.2, 0.5)
# One listing costs about as much as this many questions for single files.
_LIST_FROM = 4
# From this many folders on, all that is below their common folder is listed at once.
_FOLDERS_FROM = 16


class RemoteFiles:
    """Files behind URLs.

    Parameters:
        options: what fsspec's file systems are given, such as keys and endpoints.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = dict(options)

    def exists(self, url: str) -> bool:
        """Tell whether a file is at `url`; a folder there is an error."""
        with self._reaching(url) as (system, path):
            try:
                kind = system.info(path)["type"]
            except FileNotFoundError:
                return False
        if kind == "directory":
            raise StoreError(f"{url} is a folder, where a file should be: choose another target")
        return True

    def exists_many(self, urls: Iterable[str]) -> set[str]:
        """Return those of `urls` where a file is, by as few listings as that takes."""
        folders: dict[str, list[str]] = defaultdict(list)
        for url in urls:
            folders[url.rpartition("/")[0]].append(url)
        above = _common_folder(folders)
        if len(folders) > _FOLDERS_FROM and above:
            wanted = {url for inside in folders.values() for url in inside}
            return wanted.intersection(self.listing(above))
        found: set[str] = set()
        for folder, inside in folders.items():
            few = len(inside) < _LIST_FROM
            found.update(filter(self.exists, inside) if few else self._in(folder, inside))
        return found

    def _in(self, folder: str, urls: Iterable[str]) -> set[str]:
        with self._reaching(folder) as (system, path):
            try:
                entries = system.ls(path, detail=True)
            except FileNotFoundError:
                return set()
        files = {posixpath.basename(e["name"]) for e in entries if e["type"] == "file"}
        return {url for url in urls if posixpath.basename(url) in files}

    @contextmanager
    def replacing(self, url: str, *, fsync: bool) -> Iterator[str]:
        """Give a local file to write; upload it to `url` when all went well."""
        with _temporary() as temporary:
            yield temporary
            with self._reaching(url) as (system, path):
                _upload(system, temporary, path)

    @contextmanager
    def reading(self, url: str) -> Iterator[str]:
        """Give a local copy of the file at `url` to read."""
        with _temporary() as temporary:
            with self._reaching(url) as (system, path):
                _patiently(lambda: _download(system, path, temporary))
            yield temporary

    def delete(self, url: str) -> None:
        """Remove the file at `url`, if there is one."""
        with self._reaching(url) as (system, path), contextlib.suppress(FileNotFoundError):
            system.rm_file(path)

    def listing(self, prefix: str) -> Iterator[str]:
        """Yield the files whose URLs begin with `prefix`."""
        folder = prefix.rpartition("/")[0]
        with self._reaching(folder) as (system, path):
            found = system.find(path)
        for name in sorted(found):
            url = folder + name.removeprefix(path)
            if url.startswith(prefix) and not posixpath.basename(name).startswith(HIDDEN):
                yield url

    def info(self, url: str) -> ItemInfo:
        """Tell the size and the time of the file at `url`."""
        with self._reaching(url) as (system, path):
            found = system.info(path)
        saved = found.get("LastModified") or found.get("mtime") or found.get("created")
        if isinstance(saved, int | float):
            saved = datetime.fromtimestamp(saved, UTC)
        return ItemInfo(found.get("size"), saved if isinstance(saved, datetime) else None)

    @contextmanager
    def _reaching(self, url: str) -> Iterator[tuple[Any, str]]:
        """Give a URL's file system and path; turn its client's errors into ones with the URL."""
        core = require("fsspec.core", "for files behind URLs")
        # Names are no part of what fsspec parses: they may hold what means something in URLs.
        protocol, _, rest = url.partition("://")
        server, slash, name = rest.partition("/")
        system = None
        try:
            options = self._options | _without_cache(core.get_filesystem_class(protocol))
            system, base = core.url_to_fs(f"{protocol}://{server}", **options)
            system.invalidate_cache()
            yield system, f"{base}{slash}{name}"
        except (FileNotFoundError, StoreError):
            raise
        except ImportError as error:
            # fsspec's own text says what to install.
            raise MissingDependencyError(f"{url} cannot be reached: {error}") from error
        except Exception as error:
            if system is not None and not system.async_impl:
                # Its connection may be lost: whoever comes next makes a new one.
                system.clear_instance_cache()
            raise StoreError(
                f"{url}: {type(error).__name__}: {error}; check the address, the credentials "
                "and the connection"
            ) from error


def _without_cache(kind: type[Any]) -> dict[str, Any]:
    # Those are shared by all threads. The others may not know the option, and ask their server.
    return {"use_listings_cache": False} if kind.async_impl else {}


def _common_folder(folders: Iterable[str]) -> str:
    """Return the URL, with its slash, of what all folders are in; "" if not even in one bucket."""
    # The first and the last of them differ the soonest.
    ends = [f"{folder}/" for folder in (min(folders), max(folders))]
    common = os.path.commonprefix(ends)  # noqa: RUF071  # a URL is no path
    above = common[: common.rfind("/") + 1]
    return "" if above.endswith("://") or "://" not in above else above


def _upload(system: Any, source: str, path: str) -> None:
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if "memory" in protocols:
        # Its files can be read while they are put, but not while they are piped.
        system.pipe_file(path, Path(source).read_bytes())
    elif protocols & _WHOLE_PUTS:
        system.put_file(source, path)
    else:
        _put_and_move(system, source, path)


def _put_and_move(system: Any, source: str, path: str) -> None:
    folder, _, _ = path.rpartition("/")
    # Another writer may make the same folders at the same time.
    _patiently(lambda: system.makedirs(folder, exist_ok=True))
    passing = f"{folder}/{HIDDEN}{uuid.uuid4().hex}.tmp"
    try:
        system.put_file(source, passing)
        system.mv(passing, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            system.rm_file(passing)
        raise


def _patiently(action: Callable[[], None]) -> None:
    for pause in _PAUSES:
        try:
            return action()
        except Exception:
            # The last try's error is the one that counts.
            time.sleep(pause)
    return action()


def _download(system: Any, path: str, target: str) -> None:
    if "memory" in system.protocol:
        # All readers of one of its files share one position in it.
        Path(target).write_bytes(system.cat_file(path))
    else:
        system.get_file(path, target)


@contextmanager
def _temporary() -> Iterator[str]:
    descriptor, path = tempfile.mkstemp(prefix=HIDDEN)
    os.close(descriptor)
    try:
        yield path
    finally:
        Path(path).unlink(missing_ok=True)

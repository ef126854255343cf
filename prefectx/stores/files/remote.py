"""Files behind URLs, through fsspec: one file, as each part needs what all services differ in.

An upload is a single put if the service shows an object only when it is complete; otherwise it is
put under another name, and moved.
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
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prefectx.errors import MissingDependencyError, StoreError
from prefectx.imports import require
from prefectx.item import ItemInfo
from prefectx.masking import mask, mask_urls
from prefectx.stores.files import s3
from prefectx.stores.files.buckets import BUCKETS, OBJECT_STORES, bucket_of
from prefectx.stores.files.leftovers import HIDDEN
from prefectx.stores.files.remote_aside import COMPLETE, remove_folder, written_aside

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Some servers of S3's protocol hide an object for a moment while it is replaced, or send the
# checksum of one version and the content of the other: seconds between the attempts to read it.
_PAUSES = (0.05, 0.2, 0.5)
# One listing costs about as much as this many requests for single files.
_LIST_FROM = 4
# From this many folders on, everything below their common folder is listed at once.
_FOLDERS_FROM = 16


class RemoteFiles:
    """Files behind URLs.

    Parameters:
        options: options for fsspec's file systems, such as keys and endpoints.
    """

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = dict(options)

    def exists(self, url: str) -> bool:
        """Tell whether a file is at `url`.

        Raises:
            StoreError: a folder is there, or the service cannot be reached.
        """
        if url.endswith("/"):
            # A folder is there when its marker is.
            return self.exists(url + COMPLETE)
        with self._reaching(url) as (system, path):
            try:
                kind = system.info(path)["type"]
            except FileNotFoundError:
                BUCKETS.check(system, url)
                return False
        if kind == "directory":
            raise StoreError(
                f"{mask_urls(url)} is a folder, where a file should be: choose another target"
            )
        return True

    def exists_many(self, urls: Iterable[str]) -> set[str]:
        """Return those of `urls` where a file is, with as few requests as possible."""
        # A folder is there when its marker is.
        files = {url + COMPLETE if url.endswith("/") else url: url for url in urls}
        buckets: dict[str, list[str]] = defaultdict(list)
        for url in files:
            buckets[bucket_of(url)].append(url)
        found: set[str] = set()
        for bucket, inside in buckets.items():
            if len(inside) < _LIST_FROM:
                found.update(filter(self.exists, inside))
            elif bucket.startswith(("s3://", "s3a://")):
                found.update(self._existing_on_s3(bucket, inside))
            else:
                found.update(self._existing_in_folders(inside))
        return {files[url] for url in found}

    def _existing_on_s3(self, bucket: str, urls: list[str]) -> Iterator[str]:
        with self._reaching(bucket) as (system, path):
            keys = [url.removeprefix(f"{bucket}/") for url in urls]
            try:
                found = s3.existing(system, path, keys)
            except FileNotFoundError:
                BUCKETS.check(system, bucket)
                raise
        return (f"{bucket}/{key}" for key in found)

    def _existing_in_folders(self, urls: list[str]) -> set[str]:
        folders: dict[str, list[str]] = defaultdict(list)
        for url in urls:
            folders[url.rpartition("/")[0]].append(url)
        above = _common_folder(folders)
        # Of a whole bucket a listing may be endless.
        if len(folders) > _FOLDERS_FROM and above and above != f"{bucket_of(above)}/":
            return set(urls).intersection(self.list(above))
        found: set[str] = set()
        for folder, inside in folders.items():
            if len(inside) < _LIST_FROM:
                found.update(filter(self.exists, inside))
                continue
            with self._reaching(folder) as (system, path):
                try:
                    entries = system.ls(path, detail=True)
                except FileNotFoundError:
                    BUCKETS.check(system, folder)
                    continue
            files = {posixpath.basename(e["name"]) for e in entries if e["type"] == "file"}
            found.update(url for url in inside if posixpath.basename(url) in files)
        return found

    @contextmanager
    def replacing(self, url: str, *, fsync: bool) -> Iterator[str]:
        """Give a local file to write, and upload it to `url` unless there is an error."""
        with _temporary() as temporary:
            yield temporary
            with self._reaching(url) as (system, path):
                _upload(system, temporary, path)

    @contextmanager
    def reading(self, url: str) -> Iterator[str]:
        """Give a local copy of the file at `url` to read."""
        with _temporary() as temporary:
            with self._reaching(url) as (system, path):
                _with_retries(lambda: _download(system, path, temporary))
            yield temporary

    def check(self, url: str) -> None:
        """Look for the bucket of a URL, once in a process.

        Raises:
            StoreError: there is none, or the service cannot be reached.
        """
        with self._reaching(url) as (system, _):
            BUCKETS.check(system, url)

    def delete(self, url: str) -> None:
        """Remove the file at `url`, if there is one."""
        with self._reaching(url) as (system, path), contextlib.suppress(FileNotFoundError):
            if url.endswith("/"):
                remove_folder(system, path.rstrip("/"))
            else:
                system.rm_file(path)

    def aside(self, url: str, *, fsync: bool) -> AbstractContextManager[str]:
        """Give a URL to write to, and move what is there to `url` unless there is an error."""
        return written_aside(url, self._reaching)

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the files whose URLs begin with `prefix`."""
        folder = prefix.rpartition("/")[0]
        with self._reaching(folder) as (system, path):
            found = system.find(path)
        for name in sorted(found):
            url = folder + name.removeprefix(path)
            inside = name.removeprefix(path)
            if url.startswith(prefix) and f"/{HIDDEN}" not in inside:
                yield url

    def info(self, url: str) -> ItemInfo:
        """Return the size and the time of the file at `url`."""
        with self._reaching(url) as (system, path):
            found = system.info(path)
        saved = found.get("LastModified") or found.get("mtime") or found.get("created")
        if isinstance(saved, int | float):
            saved = datetime.fromtimestamp(saved, UTC)
        return ItemInfo(found.get("size"), saved if isinstance(saved, datetime) else None)

    @contextmanager
    def _reaching(self, url: str) -> Iterator[tuple[AbstractFileSystem, str]]:
        """Give a URL's file system and path; let errors of the client name the URL."""
        core = require("fsspec.core", "for files behind URLs")
        # fsspec does not parse the name: it may contain characters with a meaning in URLs.
        protocol, _, rest = url.partition("://")
        server, slash, name = rest.partition("/")
        system = None
        try:
            options = self._options
            # Listings are shared by all threads. Other clients may reject the option.
            if core.get_filesystem_class(protocol).async_impl:
                options = options | {"use_listings_cache": False}
            system, base = core.url_to_fs(f"{protocol}://{server}", **options)
            system.invalidate_cache()
            yield system, f"{base}{slash}{name}"
        except (FileNotFoundError, StoreError):
            raise
        except ImportError as error:
            # fsspec's message says what to install.
            raise MissingDependencyError(f"{mask_urls(url)} cannot be reached: {error}") from error
        except Exception as error:
            if system is not None and not system.async_impl:
                # Its connection may be lost: the next call makes a new one.
                system.clear_instance_cache()
            raise StoreError(
                f"{mask_urls(url)}: {type(error).__name__}: {mask(str(error))}; check the address, "
                "the credentials and the connection"
            ) from error


def _common_folder(folders: Iterable[str]) -> str:
    """Return the URL of the folder that holds all folders, with its slash, or ""."""
    # What the first and the last share, all share.
    ends = [f"{folder}/" for folder in (min(folders), max(folders))]
    common = os.path.commonprefix(ends)  # noqa: RUF071  # a URL is no path
    above = common[: common.rfind("/") + 1]
    return "" if above.endswith("://") or "://" not in above else above


def _upload(system: AbstractFileSystem, source: str, path: str) -> None:
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if "memory" in protocols:
        # Its files can be read half-written during a put, but not during a pipe.
        system.pipe_file(path, Path(source).read_bytes())
        return
    if protocols & OBJECT_STORES:
        system.put_file(source, path)
        return
    folder = path.rpartition("/")[0]
    # Another writer may make the same folders at the same time.
    _with_retries(lambda: system.makedirs(folder, exist_ok=True))
    temporary = f"{folder}/{HIDDEN}{uuid.uuid4().hex}.tmp"
    try:
        system.put_file(source, temporary)
        system.mv(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            system.rm_file(temporary)
        raise


def _with_retries(action: Callable[[], None]) -> None:
    for pause in _PAUSES:
        try:
            return action()
        except Exception:
            # Only the error of the last attempt is raised.
            time.sleep(pause)
    return action()


def _download(system: AbstractFileSystem, path: str, target: str) -> None:
    if "memory" in system.protocol:
        # All readers of such a file share one position.
        Path(target).write_bytes(system.cat_file(path))
    elif s3.is_s3(system):
        s3.download(system, path, target)
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

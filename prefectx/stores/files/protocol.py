"""What Filestore needs of files, wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from prefectx.item import ItemInfo


class Files(Protocol):
    """Files on this machine (`LocalFiles`), or behind URLs (`RemoteFiles`)."""

    def exists(self, path: str, /) -> bool:
        """Tell whether a file is at `path`; a folder there is an error."""

    def exists_many(self, paths: Iterable[str], /) -> set[str]:
        """Return those of `paths` where a file is."""

    def replacing(self, path: str, /, *, fsync: bool) -> AbstractContextManager[str]:
        """Give a local file to write, and move it to `path` unless there is an error."""

    def aside(self, path: str, /, *, fsync: bool) -> AbstractContextManager[str]:
        """Give a path to write to, and move what is there to `path` unless there is an error."""

    def reading(self, path: str, /) -> AbstractContextManager[str]:
        """Give a local file to read that holds what is at `path`."""

    def check(self, path: str, /) -> None:
        """Refuse a path below which no file can be, if that is cheap to tell."""

    def delete(self, path: str, /) -> None:
        """Remove the file at `path`, if there is one."""

    def list(self, prefix: str, /) -> Iterator[str]:
        """Yield the files whose paths begin with `prefix`."""

    def info(self, path: str, /) -> ItemInfo:
        """Return the size and the time of the file at `path`."""

"""Outputs behind URLs that a function writes itself: under another prefix first, then moved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import uuid4

# The marker that completes a folder; it is written last and deleted first.
COMPLETE = ".prefectx-complete"
_PREFIX = ".prefectx-aside-"

Reach = Callable[[str], AbstractContextManager[tuple[Any, str]]]


@contextmanager
def written_aside(url: str, reach: Reach) -> Iterator[str]:
    """Give a URL to write to, and move what is written into place unless there is an error.

    The URL has the final name, under a prefix of its own beside the final one. What else is
    written there moves along, the output last.

    Parameters:
        url: the final URL; one that ends in `/` is a folder.
        reach: gives a URL's file system and path.
    """
    parent, _, name = url.rstrip("/").rpartition("/")
    temporary = f"{parent}/{_PREFIX}{uuid4().hex}"
    with reach(url) as (system, final):
        before = _version(system, final.rstrip("/"))
    try:
        yield f"{temporary}/{name}" + ("/" if url.endswith("/") else "")
        with reach(temporary) as (system, aside), reach(parent) as (_, place):
            if url.endswith("/"):
                remove_folder(system, f"{place}/{name}")
            written = [path for path in _files(system, aside) if path != f"{aside}/{name}"]
            if system.exists(f"{aside}/{name}") and not url.endswith("/"):
                written.append(f"{aside}/{name}")
            for path in written:
                target = place + path.removeprefix(aside)
                system.makedirs(target.rpartition("/")[0], exist_ok=True)
                system.mv(path, target)
            if url.endswith("/"):
                system.pipe_file(f"{place}/{name}/{COMPLETE}", b"")
    except BaseException:
        with reach(url) as (system, final):
            if _version(system, final.rstrip("/")) != before:
                with contextlib.suppress(FileNotFoundError):
                    system.rm(final.rstrip("/"), recursive=True)
        raise
    finally:
        with reach(temporary) as (system, aside), contextlib.suppress(FileNotFoundError):
            system.rm(aside, recursive=True)


def remove_folder(system: Any, path: str) -> None:
    """Remove a folder, its marker first, so that no half of it counts as complete."""
    with contextlib.suppress(FileNotFoundError):
        system.rm_file(f"{path}/{COMPLETE}")
    with contextlib.suppress(FileNotFoundError):
        system.rm(path, recursive=True)


def _files(system: Any, path: str) -> list[str]:
    try:
        return sorted(system.find(path))
    except FileNotFoundError:
        return []


def _version(system: Any, path: str) -> object:
    """Return what changes when something is written at a path; None if nothing is there."""
    try:
        found = system.info(path)
    except FileNotFoundError:
        return None
    keys = ("ETag", "LastModified", "mtime", "created", "size", "type")
    return [str(found.get(key)) for key in keys]

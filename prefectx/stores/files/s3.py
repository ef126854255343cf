"""S3 as s3fs does not use it: objects in one request, listings that skip what nobody asks for."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

from prefectx.imports import require

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Result = TypeVar("Result")

_CHUNK = 2**20
# Sorts after every other character in S3's order, that of the bytes in UTF-8.
_LAST = "\U0010ffff"


class _Object(TypedDict):
    Key: str


class _Page(TypedDict, total=False):
    Contents: list[_Object]
    IsTruncated: bool


def is_s3(system: AbstractFileSystem) -> bool:
    """Tell whether a file system is s3fs."""
    return "s3" in system.protocol


def download(system: AbstractFileSystem, path: str, target: str) -> None:
    """Write an object to a local file, by one request.

    The client would read a large object in parts, and so mix two versions of it. It would also go
    on where a connection was lost, in what may be another version by then.
    """
    bucket, key, version = system.split_path(path)
    of_version = {"VersionId": version} if version else {}

    async def fetch() -> None:
        call = system._call_s3
        answer = await call("get_object", Bucket=bucket, Key=key, **of_version, **system.req_kw)
        async with answer["Body"] as body:
            with Path(target).open("wb") as stream:
                # Older clients give the response itself, which reads all at once.
                reader = getattr(body, "content", body)
                while chunk := await reader.read(_CHUNK):
                    stream.write(chunk)
        size = answer.get("ContentLength")
        if size is not None and size != Path(target).stat().st_size:
            raise ConnectionError(f"the connection ended before all of its {size} bytes came")

    _sync(system, fetch)


def existing(system: AbstractFileSystem, bucket: str, keys: Collection[str]) -> set[str]:
    """Return those of `keys` that exist, with at most a request for each.

    Each request lists the objects from the next key on; what lies between is skipped.
    """
    found: set[str] = set()
    left = sorted(keys, reverse=True)
    # The names below the common folder are all that can be asked for.
    common = os.path.commonprefix([left[0], left[-1]]).rpartition("/")  # noqa: RUF071  # no path
    prefix = f"{common[0]}{common[1]}"
    start = ""
    while left:
        place = {"Bucket": bucket, "Prefix": prefix, "StartAfter": start}
        page = _request(system, "list_objects_v2", **place, **system.req_kw)
        names = [each["Key"] for each in page.get("Contents", ())]
        found.update(set(names).intersection(left))
        if not names or not page.get("IsTruncated"):
            break
        while left and left[-1] <= names[-1]:
            left.pop()
        if left:
            start = max(_before(left[-1]), names[-1])
    return found


def _before(key: str) -> str:
    """Return a name after which an object with this key is among the first."""
    before = ord(key[-1]) - 1
    if 0xD800 <= before <= 0xDFFF or before < 0x20:
        return key[:-1]
    return f"{key[:-1]}{chr(before)}{_LAST}"


def _request(system: AbstractFileSystem, method: str, **arguments: object) -> _Page:
    async def request() -> _Page:
        answer: _Page = await system._call_s3(method, **arguments)
        return answer

    return _sync(system, request)


def _sync(system: AbstractFileSystem, function: Callable[[], Awaitable[Result]]) -> Result:
    result: Result = require("fsspec.asyn", "for files behind URLs").sync(system.loop, function)
    return result


def has_bucket(system: AbstractFileSystem, bucket: str) -> bool:
    """Tell whether a bucket exists; true if only its owner may know."""
    try:
        _request(system, "head_bucket", Bucket=bucket)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    return True

"""Objects and the content of files: written, verified, read."""
# No pathlib where every microsecond counts.
# ruff: noqa: PTH123

from __future__ import annotations

import io
import os
from typing import Any

from prefectx.formats import Format


def write(path: str, data: Any, format: Format, *, exact: bool) -> None:
    """Write `data` to an empty file; with `exact`, raise where it would come back different."""
    with open(path, "wb", opener=_open_as_it_is) as stream:
        format.dump(data, stream)
    if exact and format.verify is not None:
        with open(path, "rb") as stream:
            format.verify(data, stream)


def _open_as_it_is(path: str, flags: int) -> int:
    # A file that was truncated, be it an empty one, is brought to the disk when it is closed.
    return os.open(path, flags & ~os.O_TRUNC)


def read(path: str, format: Format, *, mmap: bool) -> Any:
    """Read the object that a file holds; with `mmap`, map it where the format can."""
    if mmap and format.load_mapped is not None:
        return format.load_mapped(path)
    with open(path, "rb") as stream:
        return format.load(stream)


def dumped(data: Any, format: Format, *, exact: bool) -> bytes:
    """Return the bytes of `data`; with `exact`, raise where it would come back different."""
    stream = io.BytesIO()
    format.dump(data, stream)
    if exact and format.verify is not None:
        stream.seek(0)
        format.verify(data, stream)
    return stream.getvalue()


def parsed(content: bytes, format: Format) -> Any:
    """Return the object that bytes hold."""
    return format.load(io.BytesIO(content))

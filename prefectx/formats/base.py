"""What a format is, and the error for an object that it cannot hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

# Any: a writer may demand a type of its own, and a reader return one.
Dump = Callable[[Any, BinaryIO], object]
Load = Callable[[BinaryIO], Any]


class FormatError(ValueError):
    """An object that a format cannot hold, or would give back changed."""


@dataclass(frozen=True, slots=True)
class Typed:
    """How a format of text is written, read and verified with types that are kept beside the file.

    Attributes:
        dump: writes an object, and returns the types that its text cannot say, or None.
        load: `load(stream, types, fits)` reads it; if `fits` is false, the file was changed since,
            and those of the types apply that still fit.
        verify: reads what was written and raises `FormatError` if it differs from the object.
    """

    dump: Callable[[Any, BinaryIO], bytes | None]
    load: Callable[[BinaryIO, bytes, bool], Any]
    verify: Callable[[Any, BinaryIO, bytes | None], None]


@dataclass(frozen=True, slots=True)
class Format:
    """How an object becomes the bytes of a file, and an object again.

    Attributes:
        suffix: the end of a file name that means this format, with its dot.
        dump: writes an object to a binary stream.
        load: reads an object from a binary stream that can seek.
        verify: reads what was written and raises `FormatError` if it differs from the object.
        load_mapped: reads a local file by mapping it into memory instead of copying it.
        runs_code: reading such a file can run code that the file names.
        typed: how to do all this with types that are kept beside the file.
        fallback: writes objects that `dump` cannot write.
    """

    suffix: str
    dump: Dump
    load: Load
    verify: Dump | None = None
    load_mapped: Callable[[str], object] | None = None
    runs_code: bool = False
    typed: Typed | None = None
    fallback: Dump | None = None


def type_name(data: object) -> str:
    """Name an object's type as people write it: `dict`, `pandas.DataFrame`."""
    cls = type(data)
    module = "" if cls.__module__ == "builtins" else f"{cls.__module__.partition('.')[0]}."
    return f"{module}{cls.__qualname__}"


def check_type(data: object, cls: type) -> None:
    """Raise `FormatError` for an object of a type that is near to `cls`, but not the same."""
    if type(data) is not cls:
        raise FormatError(f"{type_name(data)} would come back as {cls.__name__}")

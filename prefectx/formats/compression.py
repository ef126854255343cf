"""Compression by a second suffix: `.csv.gz`."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from prefectx.formats.base import Format
from prefectx.registry import require

Opener = Callable[[BinaryIO, str], BinaryIO]


def _gzip(stream: BinaryIO, mode: str) -> BinaryIO:
    gzip = require("gzip", "for .gz files")
    # Without a name and a time equal data make equal files.
    level = {"compresslevel": 6} if mode == "wb" else {}
    return cast(BinaryIO, gzip.GzipFile(filename="", mode=mode, fileobj=stream, mtime=0, **level))


def _bz2(stream: BinaryIO, mode: str) -> BinaryIO:
    return cast(BinaryIO, require("bz2", "for .bz2 files").BZ2File(stream, mode))


def _xz(stream: BinaryIO, mode: str) -> BinaryIO:
    return cast(BinaryIO, require("lzma", "for .xz files").LZMAFile(stream, mode))


def _zstd(stream: BinaryIO, mode: str) -> BinaryIO:
    zstandard = require("zstandard", "for .zst files")
    return cast(BinaryIO, zstandard.open(stream, mode, closefd=False))


COMPRESSIONS: dict[str, Opener] = {".gz": _gzip, ".zst": _zstd, ".bz2": _bz2, ".xz": _xz}


def compressed(inner: Format, suffix: str) -> Format:
    """Return `inner` with its bytes compressed as `suffix` says (`.gz`)."""
    opener = COMPRESSIONS[suffix]

    def dump(data: Any, stream: BinaryIO) -> None:
        with opener(stream, "wb") as packed:
            inner.dump(data, packed)

    def load(stream: BinaryIO) -> Any:
        return inner.load(_unpacked(opener, stream))

    def verify(data: Any, stream: BinaryIO) -> None:
        if inner.verify is not None:
            inner.verify(data, _unpacked(opener, stream))

    return Format(inner.suffix + suffix, dump, load, verify, runs_code=inner.runs_code)


def _unpacked(opener: Opener, stream: BinaryIO) -> BinaryIO:
    # Read to the end first: a damaged end must show, and formats that seek would unpack again.
    with opener(stream, "rb") as packed:
        return io.BytesIO(packed.read())

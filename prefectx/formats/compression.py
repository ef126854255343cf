"""Compression by a second suffix, as in `.csv.gz`."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NamedTuple, TypeVar, cast

from prefectx.formats.base import Format, Typed
from prefectx.imports import require

Result = TypeVar("Result")

_PURPOSE = "for compressed files"


class Compression(NamedTuple):
    """Compresses bytes while they are written, and decompresses all of them at once."""

    pack: Callable[[BinaryIO], BinaryIO]
    unpack: Callable[[bytes], bytes]


def _pack(module: str, writer: str, stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, getattr(require(module, _PURPOSE), writer)(stream, "wb"))


def _unpack(module: str, data: bytes) -> bytes:
    return cast(bytes, require(module, _PURPOSE).decompress(data))


def _pack_gzip(stream: BinaryIO) -> BinaryIO:
    gzip = require("gzip", _PURPOSE)
    # No name and no time: equal data give equal files.
    return cast(BinaryIO, gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0))


def _pack_zstd(stream: BinaryIO) -> BinaryIO:
    zstandard = require("zstandard", _PURPOSE)
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    return cast(BinaryIO, compressor.stream_writer(stream, closefd=False))


def _unpack_zstd(data: bytes) -> bytes:
    unpacker = require("zstandard", _PURPOSE).ZstdDecompressor().decompressobj()
    unpacked = unpacker.decompress(data)
    # zstandard does not notice that a file was cut off.
    if not unpacker.eof:
        raise EOFError("the compressed file ends too early")
    return cast(bytes, unpacked)


COMPRESSIONS = {
    ".bz2": Compression(partial(_pack, "bz2", "BZ2File"), partial(_unpack, "bz2")),
    ".gz": Compression(_pack_gzip, partial(_unpack, "gzip")),
    ".xz": Compression(partial(_pack, "lzma", "LZMAFile"), partial(_unpack, "lzma")),
    ".zst": Compression(_pack_zstd, _unpack_zstd),
}


def compressed(inner: Format, suffix: str) -> Format:
    """Return `inner` with its bytes compressed by the method of `suffix`, such as `.gz`."""
    pack, unpack = COMPRESSIONS[suffix]

    def packing(dump: Callable[[object, BinaryIO], Result]) -> Callable[[object, BinaryIO], Result]:
        def dump_packed(data: object, stream: BinaryIO) -> Result:
            with pack(stream) as packed:
                return dump(data, packed)

        return dump_packed

    def unpacked(stream: BinaryIO) -> BinaryIO:
        content = stream.read()
        if not content:
            # Some libraries accept it; but compressed data is never empty, so the file is damaged.
            raise EOFError("the compressed file is empty")
        return io.BytesIO(unpack(content))

    def load(stream: BinaryIO) -> object:
        return inner.load(unpacked(stream))

    def verify(data: object, stream: BinaryIO) -> None:
        if inner.verify is not None:
            inner.verify(data, unpacked(stream))

    typed = inner.typed
    return Format(
        inner.suffix + suffix,
        packing(inner.dump),
        load,
        None if inner.verify is None else verify,
        runs_code=inner.runs_code,
        typed=typed
        and Typed(
            packing(typed.dump),
            lambda stream, types, fits: typed.load(unpacked(stream), types, fits),
            lambda data, stream, types: typed.verify(data, unpacked(stream), types),
        ),
        fallback=None if inner.fallback is None else packing(inner.fallback),
    )

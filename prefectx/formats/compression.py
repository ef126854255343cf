"""Compression by a second suffix, as in `.csv.gz`."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, cast

from prefectx.formats.base import Format
from prefectx.imports import require


class Compression(NamedTuple):
    """Compresses bytes while they are written, and decompresses all of them at once."""

    pack: Callable[[BinaryIO], BinaryIO]
    unpack: Callable[[bytes], bytes]


def _pack_gzip(stream: BinaryIO) -> BinaryIO:
    gzip = require("gzip", "for .gz files")
    # No name and no time: equal data give equal files.
    return cast(BinaryIO, gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0))


def _unpack_gzip(data: bytes) -> bytes:
    return cast(bytes, require("gzip", "for .gz files").decompress(data))


def _pack_bz2(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, require("bz2", "for .bz2 files").BZ2File(stream, "wb"))


def _unpack_bz2(data: bytes) -> bytes:
    return cast(bytes, require("bz2", "for .bz2 files").decompress(data))


def _pack_xz(stream: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, require("lzma", "for .xz files").LZMAFile(stream, "wb"))


def _unpack_xz(data: bytes) -> bytes:
    return cast(bytes, require("lzma", "for .xz files").decompress(data))


def _pack_zstd(stream: BinaryIO) -> BinaryIO:
    zstandard = require("zstandard", "for .zst files")
    compressor = zstandard.ZstdCompressor(write_checksum=True)
    return cast(BinaryIO, compressor.stream_writer(stream, closefd=False))


def _unpack_zstd(data: bytes) -> bytes:
    unpacker = require("zstandard", "for .zst files").ZstdDecompressor().decompressobj()
    unpacked = unpacker.decompress(data)
    # zstandard does not notice that a file was cut off.
    if not unpacker.eof:
        raise EOFError("the compressed file ends too early")
    return cast(bytes, unpacked)


COMPRESSIONS = {
    ".bz2": Compression(_pack_bz2, _unpack_bz2),
    ".gz": Compression(_pack_gzip, _unpack_gzip),
    ".xz": Compression(_pack_xz, _unpack_xz),
    ".zst": Compression(_pack_zstd, _unpack_zstd),
}


def compressed(inner: Format, suffix: str) -> Format:
    """Return `inner` with its bytes compressed by the method of `suffix`, such as `.gz`."""
    pack, unpack = COMPRESSIONS[suffix]

    def dump(data: object, stream: BinaryIO) -> None:
        with pack(stream) as packed:
            inner.dump(data, packed)

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

    return Format(
        inner.suffix + suffix,
        dump,
        load,
        None if inner.verify is None else verify,
        runs_code=inner.runs_code,
    )

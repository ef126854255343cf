"""Text and bytes, unchanged."""

from __future__ import annotations

from typing import BinaryIO

from prefectx.formats.base import Format, FormatError, check_type, type_name


def _dump_text(data: object, stream: BinaryIO) -> None:
    if not isinstance(data, str):
        raise FormatError(f"it holds text, not {type_name(data)}")
    stream.write(data.encode())


def _verify_text(data: object, stream: BinaryIO) -> None:
    check_type(data, str)


def _load_text(stream: BinaryIO) -> str:
    return stream.read().decode()


def _dump_bytes(data: object, stream: BinaryIO) -> None:
    if not isinstance(data, bytes | bytearray):
        raise FormatError(f"it holds bytes, not {type_name(data)}")
    stream.write(data)


def _verify_bytes(data: object, stream: BinaryIO) -> None:
    check_type(data, bytes)


def _load_bytes(stream: BinaryIO) -> bytes:
    return stream.read()


TEXT = Format(".txt", _dump_text, _load_text, _verify_text)
MARKDOWN = Format(".md", _dump_text, _load_text, _verify_text)
HTML = Format(".html", _dump_text, _load_text, _verify_text)
BYTES = Format(".bin", _dump_bytes, _load_bytes, _verify_bytes)

"""Pictures: bytes, matplotlib figures and PIL images.

A figure is saved as the picture that it is and comes back as that picture's bytes. An image in
`.png` comes back as an image; what a lossy or write-only format took comes back as bytes.
"""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import Any, BinaryIO

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.imports import require

# The text chunk by which a .png says that it was an image when it was saved.
_MARK = "prefectx"


def _dump(data: Any, stream: BinaryIO, *, kind: str) -> None:
    if isinstance(data, bytes | bytearray):
        stream.write(data)
    elif _is_a("matplotlib.figure", "Figure", data):
        data.savefig(stream, format=kind)
    elif _is_a("PIL.Image", "Image", data) and kind != "svg":
        _dump_image(data, stream, kind)
    elif isinstance(data, str) and kind == "svg":
        stream.write(data.encode())
    else:
        raise FormatError(f"it holds a figure, an image or their bytes, not {type_name(data)}")


def _dump_image(image: Any, stream: BinaryIO, kind: str) -> None:
    if kind != "png":
        image.save(stream, format={"jpg": "JPEG", "pdf": "PDF"}[kind])
        return
    info = require("PIL.PngImagePlugin", "for pictures").PngInfo()
    info.add_text(_MARK, "image")
    image.save(stream, format="PNG", pnginfo=info)


def _load_bytes(stream: BinaryIO) -> bytes:
    return stream.read()


def _load_text(stream: BinaryIO) -> str:
    return stream.read().decode()


def _load_png(stream: BinaryIO) -> Any:
    data = stream.read()
    return _image(data) if _is_marked(data) else data


def _is_marked(data: bytes | bytearray) -> bool:
    head = data.partition(b"IDAT")[0]
    return head.startswith(b"\x89PNG\r\n") and b"tEXt%b\0" % _MARK.encode() in head


def _image(data: bytes) -> Any:
    image = require("PIL.Image", "for pictures").open(io.BytesIO(data))
    image.load()
    del image.info[_MARK]
    return image


def _verify_png(data: Any, stream: BinaryIO) -> None:
    if isinstance(data, bytes | bytearray) and _is_marked(data):
        raise FormatError("bytes of a picture that prefectx saved would come back as an image")
    if _is_a("PIL.Image", "Image", data) and not _is_same(data, _load_png(stream)):
        raise FormatError(f"an image of mode {data.mode!r} would come back different")


def _is_same(image: Any, other: Any) -> bool:
    return all(
        part(image) == part(other)
        for part in (
            lambda i: (i.mode, i.size),
            lambda i: i.getpalette(),
            lambda i: i.tobytes(),
        )
    )


def _is_a(module: str, name: str, data: Any) -> bool:
    # Only a library that is imported already can have made the object.
    cls = getattr(sys.modules.get(module), name, None)
    return cls is not None and isinstance(data, cls)


PNG = Format(".png", partial(_dump, kind="png"), _load_png, _verify_png)
JPG = Format(".jpg", partial(_dump, kind="jpg"), _load_bytes)
PDF = Format(".pdf", partial(_dump, kind="pdf"), _load_bytes)
SVG = Format(".svg", partial(_dump, kind="svg"), _load_text)

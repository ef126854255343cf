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
from prefectx.registry import require

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
    return _image(data) if _MARK.encode() in data[:256] else data


def _image(data: bytes) -> Any:
    image = require("PIL.Image", "for pictures").open(io.BytesIO(data))
    image.load()
    return image


def _verify_png(data: Any, stream: BinaryIO) -> None:
    if not _is_a("PIL.Image", "Image", data):
        return
    back = _load_png(stream)
    same = back.mode == data.mode and back.size == data.size and back.tobytes() == data.tobytes()
    if not same:
        raise FormatError(f"an image of mode {data.mode!r} would come back different")


def _is_a(module: str, name: str, data: Any) -> bool:
    # Only a library that is imported already can have made the object.
    cls = getattr(sys.modules.get(module), name, None)
    return cls is not None and isinstance(data, cls)


PNG = Format(".png", partial(_dump, kind="png"), _load_png, _verify_png)
JPG = Format(".jpg", partial(_dump, kind="jpg"), _load_bytes)
PDF = Format(".pdf", partial(_dump, kind="pdf"), _load_bytes)
SVG = Format(".svg", partial(_dump, kind="svg"), _load_text)

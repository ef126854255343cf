"""Pictures: bytes, matplotlib figures and PIL images.

A figure is saved as a picture and comes back as the picture's bytes. An image in `.png` comes back
as an image, in the other formats, which are lossy or write-only, as bytes.
"""

from __future__ import annotations

import io
import sys
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeGuard

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import Figure, Image

# The text chunk of a .png that was saved from an image.
_MARK = "prefectx"


def _dump(data: object, stream: BinaryIO, *, kind: str) -> None:
    if isinstance(data, bytes | bytearray):
        stream.write(data)
    elif _is_figure(data):
        data.savefig(stream, format=kind)
    elif _is_image(data) and kind != "svg":
        _dump_image(data, stream, kind)
    elif isinstance(data, str) and kind == "svg":
        stream.write(data.encode())
    else:
        raise FormatError(f"it holds a figure, an image or their bytes, not {type_name(data)}")


def _dump_image(image: Image, stream: BinaryIO, kind: str) -> None:
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


def _load_png(stream: BinaryIO) -> Image | bytes:
    data = stream.read()
    return _image(data) if _is_marked(data) else data


def _is_marked(data: bytes | bytearray) -> bool:
    head = data.partition(b"IDAT")[0]
    return head.startswith(b"\x89PNG\r\n") and b"tEXt%b\0" % _MARK.encode() in head


def _image(data: bytes) -> Image:
    image: Image = require("PIL.Image", "for pictures").open(io.BytesIO(data))
    image.load()
    del image.info[_MARK]
    return image


def _verify_png(data: object, stream: BinaryIO) -> None:
    if isinstance(data, bytes | bytearray) and _is_marked(data):
        raise FormatError("bytes of a picture that prefectx saved would come back as an image")
    if _is_image(data):
        found = _load_png(stream)
        if isinstance(found, bytes) or not _is_same(data, found):
            raise FormatError(f"an image of mode {data.mode!r} would come back different")


def _is_same(image: Image, other: Image) -> bool:
    return (
        (image.mode, image.size) == (other.mode, other.size)
        and image.getpalette() == other.getpalette()
        and image.tobytes() == other.tobytes()
    )


def _is_figure(data: object) -> TypeGuard[Figure]:
    # If the library was not imported yet, it has not made the object.
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(data, module.Figure)


def _is_image(data: object) -> TypeGuard[Image]:
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(data, module.Image)


PNG = Format(".png", partial(_dump, kind="png"), _load_png, _verify_png)
JPG = Format(".jpg", partial(_dump, kind="jpg"), _load_bytes)
PDF = Format(".pdf", partial(_dump, kind="pdf"), _load_bytes)
SVG = Format(".svg", partial(_dump, kind="svg"), _load_text)

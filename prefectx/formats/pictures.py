"""Pictures: bytes, matplotlib figures and PIL images.

A figure is saved as a picture and comes back as the picture's bytes. An image in `.png` comes back
as an image, in the other formats, which are lossy or write-only, as bytes.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeGuard, cast

from prefectx.formats import values
from prefectx.formats.base import Format, FormatError, check_type, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import Figure, Image

# The text chunk of a .png that was saved from an image.
_MARK = "prefectx"


def _dump(data: object, stream: BinaryIO, *, kind: str) -> None:
    if isinstance(data, bytes | bytearray) and kind != "svg":
        stream.write(data)
    elif _is_figure(data):
        _dump_figure(data, stream, kind)
    elif _is_image(data) and kind != "svg":
        _dump_image(data, stream, kind)
    elif isinstance(data, str) and kind == "svg":
        stream.write(data.encode())
    else:
        holds = "a figure or text" if kind == "svg" else "a figure, an image or their bytes"
        raise FormatError(f"it holds {holds}, not {type_name(data)}")


def _dump_figure(figure: Figure, stream: BinaryIO, kind: str) -> None:
    """Write a figure without the time and without random names: equal ones give equal files."""
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
    with _STABLE_NAMES:
        figure.savefig(stream, format=kind, metadata=metadata)


class _StableNames:
    """Makes matplotlib name the parts of an SVG by what they are; for one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()
        parameters = require("matplotlib", "for figures").rcParams
        self._before = parameters["svg.hashsalt"]
        parameters["svg.hashsalt"] = self._before or _MARK

    def __exit__(self, *error: object) -> None:
        require("matplotlib", "for figures").rcParams["svg.hashsalt"] = self._before
        self._lock.release()


_STABLE_NAMES = _StableNames()


def _dump_image(image: Image, stream: BinaryIO, kind: str) -> None:
    frames = getattr(image, "n_frames", 1)
    if kind == "pdf":
        start = time.gmtime(0)  # equal images give equal files
        image.save(
            stream, format="PDF", save_all=frames > 1, creationDate=start, modDate=start, title=None
        )
        return
    if frames > 1:
        raise FormatError(f"it holds one picture, not the {frames} frames of this image")
    exif = image.getexif()
    options = {"exif": exif} if exif else {}
    if kind == "jpg":
        image.save(stream, format="JPEG", **options)
        return
    info = require("PIL.PngImagePlugin", "for pictures").PngInfo()
    try:
        kept = {key: value for key, value in image.info.items() if key != "exif"}
        info.add_text(_MARK, json.dumps(values.encode(kept)))
    except FormatError as error:
        raise FormatError(f"the image's info: {error}") from error
    image.save(stream, format="PNG", pnginfo=info, **options)


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
    text = image.info.pop(_MARK)
    if text != "image":  # what earlier releases wrote
        exif = {key: value for key, value in image.info.items() if key == "exif"}
        image.info = cast("dict[str | tuple[int, int], object]", values.decode(json.loads(text)))
        image.info.update(exif)
    return image


def _verify_png(data: object, stream: BinaryIO) -> None:
    if _is_image(data):
        found = _load_png(stream)
        if isinstance(found, bytes):
            raise FormatError("it would come back as bytes")
        _check_same(data, found)
    elif not _is_figure(data):
        check_type(data, bytes)
        if _is_marked(cast("bytes", data)):
            raise FormatError("bytes of a picture that prefectx saved would come back as an image")


def _verify_type(data: object, stream: BinaryIO, *, cls: type) -> None:
    # An image or a figure is saved as the picture that it is.
    if not _is_image(data) and not _is_figure(data):
        check_type(data, cls)


def _check_same(image: Image, other: Image) -> None:
    parts = {
        "mode": (image.mode, other.mode),
        "size": (image.size, other.size),
        "palette": (image.getpalette(), other.getpalette()),
        "palette's mode": (_palette_mode(image), _palette_mode(other)),
        "pixels": (image.tobytes(), other.tobytes()),
        "EXIF data": (dict(image.getexif()), dict(other.getexif())),
    }
    for part, (one, found) in parts.items():
        if one != found:
            raise FormatError(f"the {part} of an image of mode {image.mode!r} would be lost")


def _palette_mode(image: Image) -> str | None:
    return None if image.palette is None else image.palette.mode


def _is_figure(data: object) -> TypeGuard[Figure]:
    # If the library was not imported yet, it has not made the object.
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(data, module.Figure)


def _is_image(data: object) -> TypeGuard[Image]:
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(data, module.Image)


PNG = Format(".png", partial(_dump, kind="png"), _load_png, _verify_png)
JPG = Format(".jpg", partial(_dump, kind="jpg"), _load_bytes, partial(_verify_type, cls=bytes))
PDF = Format(".pdf", partial(_dump, kind="pdf"), _load_bytes, partial(_verify_type, cls=bytes))
SVG = Format(".svg", partial(_dump, kind="svg"), _load_text, partial(_verify_type, cls=str))

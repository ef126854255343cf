"""What some outputs hold: thumbnails of pictures, heads of tables and of text.

Only local files are read, at their beginning; nothing is unpickled.
"""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import heapq
import io
import json
import lzma
import zlib
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple, cast

from prefectx.errors import PrefectxError
from prefectx.imports import require
from prefectx.inspection.output import Output
from prefectx.records import Record
from prefectx.reports.graph import TaskGraph
from prefectx.reports.html_text import shortened

_EACH, _ALL = 2, 24
_BUDGET, _LARGEST_PICTURE = 600_000, 120_000
_PIXELS, _SIDE = 80_000_000, 640
_BYTES, _ROWS, _COLUMNS, _LINES = 65_536, 8, 8, 12
_CELL, _LINE = 60, 160


# What readers of pictures, tables and archives raise, also as warnings that are errors.
_UNREADABLE = (
    *(PrefectxError, OSError, ValueError, ArithmeticError, LookupError, Warning, EOFError),
    *(SyntaxError, csv.Error, zlib.error, lzma.LZMAError),
)


class Preview(NamedTuple):
    """What an output holds.

    Attributes:
        location: where it is.
        task: the name of its task.
        size: its size in bytes.
        picture: a `data:` URL, empty if it is no picture.
        columns: the names of a table's columns.
        rows: its first rows.
        text: the first lines of text.
        note: what is to be said of it.
    """

    location: str
    task: str
    size: int | None
    picture: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    text: str = ""
    note: str = ""


class Previews:
    """Chooses the latest outputs of each task of which something can be shown.

    Parameters:
        is_on: whether to show anything.
    """

    def __init__(self, *, is_on: bool = True) -> None:
        self._is_on = is_on
        self._found: dict[str, list[tuple[float, str, Output]]] = {}
        self._left = _BUDGET

    def wants(self, record: Record) -> bool:
        """Tell whether an output would be chosen, as far as its record tells."""
        if not self._is_on or "://" in record.location or _reader(record.location)[0] is None:
            return False
        latest = self._found.get(record.task, [])
        return len(latest) < _EACH or (record.made, record.location) > latest[0][:2]

    def offer(self, output: Output) -> None:
        """Choose an output."""
        record = output.record
        latest = self._found.setdefault(record.task, [])
        entry = record.made, record.location, output
        if len(latest) < _EACH:
            heapq.heappush(latest, entry)
        else:
            heapq.heapreplace(latest, entry)

    def made(self, graph: TaskGraph) -> list[Preview]:
        """Return the previews, of the last tasks of the graph first, and of each at least one."""
        tasks = [node.name for node in reversed(graph.nodes) if node.name in self._found]
        latest = {task: sorted(self._found[task], reverse=True) for task in tasks}
        order = [(turn, task) for turn in range(_EACH) for task in tasks]
        chosen = [latest[task][turn][2] for turn, task in order if turn < len(latest[task])]
        return [self._preview(output) for output in chosen[:_ALL]]

    def _preview(self, output: Output) -> Preview:
        preview = Preview(output.location, output.task, output.size)
        path = Path(output.item.location)
        reader, opener = _reader(path.name)
        assert reader is not None
        try:
            with opener(path) as stream:
                preview = preview._replace(**reader(stream))
        except _UNREADABLE as error:
            return preview._replace(note=shortened(f"cannot be read: {error}", _LINE))
        if len(preview.picture) > self._left:
            return preview._replace(picture="", note="left out, so that the page stays small")
        self._left -= len(preview.picture)
        return preview


Reader = Callable[[IO[bytes]], dict[str, Any]]
Opener = Callable[[Path], IO[bytes]]


def _reader(name: str) -> tuple[Reader | None, Opener]:
    path = PurePath(name)
    opener = _OPENERS.get(path.suffix.casefold())
    if opener is not None:
        path = path.with_suffix("")
    return _READERS.get(path.suffix.casefold()), opener or (lambda path: path.open("rb"))


def _picture(stream: IO[bytes], *, kind: str) -> dict[str, Any]:
    data = stream.read(_LARGEST_PICTURE + 1)
    if kind == "svg+xml":
        fits = len(data) <= _LARGEST_PICTURE
        return _embedded(data, kind) if fits else {"note": "too large to be shown"}
    if kind == "png" and _pixels_of_png(data) > _PIXELS:  # few bytes may hold many
        return {"note": f"{_pixels_of_png(data):,} pixels"}
    if len(data) <= _LARGEST_PICTURE // 3:
        return _embedded(data, kind)
    try:
        pictures = require("PIL.Image", "for thumbnails")
    except PrefectxError:
        fits = len(data) <= _LARGEST_PICTURE
        return _embedded(data, kind) if fits else {"note": "too large without Pillow installed"}
    stream.seek(0)
    try:
        picture = pictures.open(stream)
    except pictures.DecompressionBombError as error:
        return {"note": str(error)}
    width, height = picture.size
    if width * height > _PIXELS:
        return {"note": f"{width:,} x {height:,} pixels"}
    picture.thumbnail((_SIDE, _SIDE))
    thumbnail = picture.convert("RGBA")
    ground = pictures.new("RGBA", thumbnail.size, "white")
    ground.alpha_composite(thumbnail)
    small = io.BytesIO()
    ground.convert("RGB").save(small, format="JPEG", quality=82)
    return {**_embedded(small.getvalue(), "jpeg"), "note": f"{width:,} x {height:,} pixels"}


def _pixels_of_png(data: bytes) -> int:
    """Return how many pixels a picture has by its header; 0 if it is no PNG."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return 0
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")


def _embedded(data: bytes, kind: str) -> dict[str, Any]:
    return {"picture": f"data:image/{kind};base64,{base64.b64encode(data).decode()}"}


def _delimited(stream: IO[bytes], *, delimiter: str) -> dict[str, Any]:
    data = stream.read(_BYTES)
    lines = io.StringIO(data.decode("utf-8-sig", "replace"), newline="")
    rows = list(islice(csv.reader(lines, delimiter=delimiter), _ROWS + 1))
    return _table(rows[0] if rows else [], rows[1:])


def _parquet(stream: IO[bytes]) -> dict[str, Any]:
    file = require("pyarrow.parquet", "to read .parquet").ParquetFile(stream)
    names = file.schema_arrow.names
    batch = next(file.iter_batches(batch_size=_ROWS, columns=names[:_COLUMNS]), None)
    rows = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
    count = file.metadata.num_rows
    return {**_table(names, rows), "note": f"{count:,} rows, {len(names):,} columns"}


def _table(names: Sequence[object], rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    left = len(names) - _COLUMNS
    return {
        "columns": [shortened(name, _CELL) for name in names[:_COLUMNS]],
        "rows": [[shortened(cell, _CELL) for cell in row[:_COLUMNS]] for row in rows[:_ROWS]],
        "note": f"and {left:,} more columns" if left > 0 else "",
    }


def _json(stream: IO[bytes]) -> dict[str, Any]:
    data = stream.read(_BYTES)
    if len(data) < _BYTES:
        data = json.dumps(json.loads(data), indent=2, ensure_ascii=False).encode("utf-8", "replace")
    return _head(data)


def _text(stream: IO[bytes]) -> dict[str, Any]:
    return _head(stream.read(_BYTES))


def _head(data: bytes) -> dict[str, Any]:
    lines = data.decode("utf-8", "replace").splitlines()
    shown = [line if len(line) <= _LINE else f"{line[: _LINE - 1]}…" for line in lines[:_LINES]]
    return {"text": "\n".join([*shown, *(["…"] if len(lines) > _LINES else [])])}


def _reading(reader: Callable[..., dict[str, Any]], **options: str) -> Reader:
    return lambda stream: reader(stream, **options)


_READERS: dict[str, Reader] = {
    ".png": _reading(_picture, kind="png"),
    ".jpg": _reading(_picture, kind="jpeg"),
    ".jpeg": _reading(_picture, kind="jpeg"),
    ".svg": _reading(_picture, kind="svg+xml"),
    ".csv": _reading(_delimited, delimiter=","),
    ".tsv": _reading(_delimited, delimiter="\t"),
    ".parquet": _parquet,
    ".json": _json,
    **dict.fromkeys((".txt", ".md", ".html"), _text),
}
_OPENERS = cast(dict[str, Opener], {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open})

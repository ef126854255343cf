"""Data frames of pandas and polars, and Arrow tables, in typed files.

A Parquet or Feather file names the library that wrote it; the same library reads it.
"""

from __future__ import annotations

import hashlib
import io
import sys
from typing import TYPE_CHECKING, BinaryIO

from prefectx.formats import frames_equal
from prefectx.formats.base import Dump, Format, FormatError, Load, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from types import ModuleType

    from prefectx.formats.library_types import ArrowColumn, ArrowTable, Frame


_LIBRARIES = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table"}
# The key in a file's own metadata that names the library.
_MARK = b"prefectx.library"
# How many values are converted to text at once, to hash them.
_ROWS = 10_000


def is_frame(data: object) -> bool:
    """Tell whether an object is a data frame of pandas or polars, or an Arrow table."""
    return any(_is_of(data, library) for library in _LIBRARIES)


def _is_of(data: object, library: str) -> bool:
    # If the library was not imported yet, it has not made the object.
    return type(data) is getattr(sys.modules.get(library), _LIBRARIES[library], None)


def library_of(data: object) -> str:
    """Name the library of a frame.

    Raises:
        FormatError: it is not a frame.
    """
    for library in _LIBRARIES:
        if _is_of(data, library):
            return library
    known = ", ".join(f"{library}.{cls}" for library, cls in _LIBRARIES.items())
    raise FormatError(f"it holds a table ({known}), not {type_name(data)}")


def _dump_parquet(data: Frame, stream: BinaryIO) -> None:
    library = library_of(data)
    if library == "polars":
        data.write_parquet(stream)
    elif library == "pandas":
        data.to_parquet(stream, engine="pyarrow")
    else:
        parquet = require("pyarrow.parquet", "to write .parquet files")
        parquet.write_table(_marked(data, library), stream)


def _load_parquet(stream: BinaryIO) -> Frame:
    # Given a name, Arrow reads the file itself, without a second copy in memory.
    name = getattr(stream, "name", None)
    source = name if isinstance(name, str) else stream
    metadata = _parquet().read_metadata(source)
    stream.seek(0)
    if (metadata.created_by or "").startswith("Polars"):
        return require("polars", "to read this .parquet file").read_parquet(stream)
    if (metadata.metadata or {}).get(_MARK) == b"pyarrow":
        return _unmarked(_parquet().read_table(source))
    return require("pandas", "to read .parquet files").read_parquet(source, engine="pyarrow")


def _parquet() -> ModuleType:
    return require("pyarrow.parquet", "for .parquet files")


def _verify_parquet(data: Frame, stream: BinaryIO) -> None:
    if library_of(data) == "pandas":
        _verify_parts(data, _dump_parquet, _load_parquet)
    elif library_of(data) == "pyarrow":
        frames_equal.check(
            data.slice(0, 0), _unmarked(_parquet().read_schema(stream).empty_table())
        )


def _verify_parts(data: Frame, dump: Dump, load: Load) -> None:
    # Columns of one type are kept as they are; reading all back would take too long.
    for part in frames_equal.doubtful_parts(data):
        _verify_whole(part, dump, load)


def _verify_whole(data: Frame, dump: Dump, load: Load) -> None:
    buffer = io.BytesIO()
    dump(data, buffer)
    buffer.seek(0)
    frames_equal.check(data, load(buffer))


def _dump_feather(data: Frame, stream: BinaryIO) -> None:
    feather = require("pyarrow.feather", "to write .feather files")
    feather.write_feather(to_arrow(data), stream)


def _load_feather(stream: BinaryIO) -> Frame:
    return from_arrow(require("pyarrow.feather", "to read .feather files").read_table(stream))


def _map_feather(path: str) -> Frame:
    feather = require("pyarrow.feather", "to read .feather files")
    return from_arrow(feather.read_table(path, memory_map=True))


def to_arrow(data: Frame) -> ArrowTable:
    """Return a frame as an Arrow table whose metadata name the frame's library."""
    library = library_of(data)
    if library == "pandas":
        data = require("pyarrow", "to write this table").Table.from_pandas(data)
    elif library == "polars":
        data = data.to_arrow()
    return _marked(data, library)


def from_arrow(table: ArrowTable) -> Frame:
    """Return the frame from which `to_arrow` made `table`; a pandas frame for any other table."""
    library = (table.schema.metadata or {}).get(_MARK, b"pandas").decode()
    table = _unmarked(table)
    if library == "pyarrow":
        return table
    if library == "polars":
        return require("polars", "to read this table").from_arrow(table)
    return table.to_pandas()


def _marked(table: ArrowTable, library: str) -> ArrowTable:
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _MARK: library.encode()})


def _unmarked(table: ArrowTable) -> ArrowTable:
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != _MARK}
    return table.replace_schema_metadata(metadata or None)


def digest(table: ArrowTable) -> str:
    """Return a hash of an Arrow table's values, the same on every machine."""
    made = hashlib.sha256(b"%d" % table.num_rows)
    for column in map(_with_plain_values, table.columns):
        for start in range(0, len(column), _ROWS):
            made.update(repr(column.slice(start, _ROWS).to_pylist()).encode(errors="surrogatepass"))
    return made.hexdigest()


def _with_plain_values(column: ArrowColumn) -> ArrowColumn:
    """Return a column whose values convert to the same text in every release of Arrow."""
    pyarrow = require("pyarrow", "for this table")
    types, kind = pyarrow.types, column.type
    if types.is_dictionary(kind):
        return _with_plain_values(column.cast(kind.value_type))
    if types.is_float16(kind):
        return column.cast(pyarrow.float32())
    if types.is_temporal(kind):
        return column.cast(pyarrow.int64() if kind.bit_width == 64 else pyarrow.int32())
    return column


def verify_arrow(data: Frame) -> None:
    """Raise `FormatError` if a frame would come back from Arrow changed."""
    if library_of(data) == "pandas":
        _verify_parts(data, _dump_feather, _load_feather)
    elif library_of(data) == "polars":
        _verify_whole(data.clear(), _dump_feather, _load_feather)


def _verify_feather(data: Frame, stream: BinaryIO) -> None:
    verify_arrow(data)


PARQUET = Format(".parquet", _dump_parquet, _load_parquet, _verify_parquet)
FEATHER = Format(".feather", _dump_feather, _load_feather, _verify_feather, _map_feather)

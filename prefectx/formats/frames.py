"""Data frames of pandas and polars, and Arrow tables, in typed files.

A Parquet or Feather file names the library that wrote it; the same library reads it.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from prefectx.formats import arrow_frames, frames_equal
from prefectx.formats.base import Dump, Format, FormatError, Load, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from types import ModuleType

    from prefectx.formats.library_types import ArrowColumn, ArrowTable, Frame


_LIBRARIES = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table"}
# The key in a file's own metadata that names the library.
_MARK = b"prefectx.library"
# The key of an Arrow table's own schema, in Parquet.
_SCHEMA = b"prefectx.schema"
# Types whose values come back whenever the type does.
_PLAIN_ARROW = {"string", "large_string", "binary", "large_binary"}
_PLAIN_POLARS = {
    *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32"),
    *("Float64", "Boolean", "String", "Binary", "Date", "Datetime", "Duration", "Time"),
}
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
    with _panics_as_errors():
        if library_of(data) == "polars":
            data.write_parquet(stream)
        else:
            # The standard's names for the parts of lists would not be those of the table.
            table = to_arrow(data, nested=True)
            if library_of(data) == "pyarrow":
                schema = bytes(data.schema.serialize())
                table = table.replace_schema_metadata({**table.schema.metadata, _SCHEMA: schema})
            _parquet().write_table(table, stream, use_compliant_nested_type=False)


def _load_parquet(stream: BinaryIO) -> Frame:
    # Given a name, Arrow reads the file itself, without a second copy in memory.
    name = getattr(stream, "name", None)
    source = name if isinstance(name, str) else stream
    metadata = _parquet().read_metadata(source)
    stream.seek(0)
    if (metadata.created_by or "").startswith("Polars"):
        return require("polars", "to read this .parquet file").read_parquet(stream)
    if _MARK in (metadata.metadata or {}):
        return from_arrow(_restored(_parquet().read_table(source, partitioning=None)))
    return require("pandas", "to read .parquet files").read_parquet(source, engine="pyarrow")


def _parquet() -> ModuleType:
    return require("pyarrow.parquet", "for .parquet files")


def _restored(table: ArrowTable) -> ArrowTable:
    """Return an Arrow table with the types of its own that Parquet does not have."""
    metadata = dict(table.schema.metadata)
    content = metadata.pop(_SCHEMA, None)
    if content is None:
        return table
    pyarrow = require("pyarrow", "for tables")
    schema = require("pyarrow.ipc", "for tables").read_schema(pyarrow.py_buffer(content))
    columns = []
    for column, field in zip(table.columns, schema, strict=True):
        if not column.type.equals(field.type, check_metadata=True):
            if pyarrow.types.is_dictionary(field.type):
                column = column.cast(field.type.value_type).dictionary_encode()
            column = column.cast(field.type)
        columns.append(column)
    schema = schema.with_metadata({**(schema.metadata or {}), _MARK: metadata[_MARK]})
    return pyarrow.Table.from_arrays(columns, schema=schema)


def _verify_parquet(data: Frame, stream: BinaryIO) -> None:
    _verify(data, stream, _dump_parquet, _load_parquet)


def _verify_feather(data: Frame, stream: BinaryIO) -> None:
    _verify(data, stream, _dump_feather, _load_feather)


def _verify(data: Frame, stream: BinaryIO, dump: Dump, load: Load) -> None:
    """Read back what may come back different: all of odd types, of plain ones a row."""
    with _panics_as_errors():
        if _is_plain(data):
            sample = data[:1] if library_of(data) == "pandas" else data.slice(0, 1)
            _verify_whole(sample, dump, load)
        else:
            frames_equal.check(data, load(stream))


def _verify_whole(data: Frame, dump: Dump, load: Load) -> None:
    buffer = io.BytesIO()
    dump(data, buffer)
    buffer.seek(0)
    frames_equal.check(data, load(buffer))


def _is_plain(data: Frame) -> bool:
    library = library_of(data)
    if library == "pandas":
        return arrow_frames.is_plain(data)
    if library == "polars":
        return all(type(dtype).__name__ in _PLAIN_POLARS for dtype in data.dtypes)
    plain = require("pyarrow.types", "for tables").is_primitive
    return all(plain(kind) or str(kind) in _PLAIN_ARROW for kind in data.schema.types)


@contextmanager
def _panics_as_errors() -> Iterator[None]:
    """Raise `FormatError` for what polars reports by an exception that nobody catches."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise FormatError(f"polars cannot write or read it: {error}") from error


def _dump_feather(data: Frame, stream: BinaryIO) -> None:
    feather = require("pyarrow.feather", "to write .feather files")
    with _panics_as_errors():
        feather.write_feather(to_arrow(data, nested=True), stream)


def _load_feather(stream: BinaryIO) -> Frame:
    return from_arrow(require("pyarrow.feather", "to read .feather files").read_table(stream))


def _map_feather(path: str) -> Frame:
    feather = require("pyarrow.feather", "to read .feather files")
    return from_arrow(feather.read_table(path, memory_map=True))


def to_arrow(data: Frame, *, nested: bool = False) -> ArrowTable:
    """Return a frame as an Arrow table whose metadata name the frame's library.

    Parameters:
        data: the frame.
        nested: keep cells that are lists or dicts as such, not as text.

    Raises:
        FormatError: an Arrow table cannot keep all of it.
    """
    library = library_of(data)
    if library == "pandas":
        data = arrow_frames.to_arrow(data, nested=nested)
    elif library == "polars":
        data = data.to_arrow()
    repeated = [name for name, count in Counter(data.column_names).items() if count > 1]
    if repeated:
        raise FormatError(f"the column name {repeated[0]!r} is not unique: rename its columns")
    return _marked(data, library)


def from_arrow(table: ArrowTable) -> Frame:
    """Return the frame from which `to_arrow` made `table`; a pandas frame for any other table."""
    library = (table.schema.metadata or {}).get(_MARK, b"pandas").decode()
    table = _unmarked(table)
    if library == "pyarrow":
        return table
    if library == "polars":
        return require("polars", "to read this table").from_arrow(table)
    return arrow_frames.from_arrow(table)


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
    with _panics_as_errors():
        sample = data
        if _is_plain(data):
            sample = data[:1] if library_of(data) == "pandas" else data.slice(0, 1)
        frames_equal.check(sample, from_arrow(to_arrow(sample)))


PARQUET = Format(".parquet", _dump_parquet, _load_parquet, _verify_parquet)
FEATHER = Format(".feather", _dump_feather, _load_feather, _verify_feather, _map_feather)

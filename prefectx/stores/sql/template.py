"""What rebuilds a frame from the rows of its table: its types, and what SQL does not keep."""

from __future__ import annotations

import array
import base64
import json
import math
import zlib
from collections.abc import Mapping
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

# The key of the schema's metadata that tells how the frame is kept.
_KEPT = b"prefectx.kept"


class _Kept(TypedDict):
    key: str | None
    rows: int
    negative_zeros: dict[str, str]


def describe(table: pa.Table, key: str | None, signs: Mapping[str, str]) -> bytes:
    """Return all of a table except its values, and how they are kept, as bytes.

    Parameters:
        table: the table.
        key: the column that tells its rows from those of other outputs; None if it is alone.
        signs: what `negative_zeros` returned for the table, if the database loses them.
    """
    kept: _Kept = {"key": key, "rows": table.num_rows, "negative_zeros": dict(signs)}
    metadata = {**(table.schema.metadata or {}), _KEPT: json.dumps(kept)}
    # One empty row, as a column without rows loses its categories.
    columns = [_one_null(column) for column in table.columns]
    described = table.schema.with_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, described) as stream:
        stream.write_table(pa.Table.from_arrays(columns, schema=described))
    return bytes(sink.getvalue())


def key_column(template: bytes, otherwise: str | None) -> str | None:
    """Return the column that tells a frame's rows from those of others; None if it is alone.

    Parameters:
        template: what `describe` returned when the frame was saved.
        otherwise: the answer for templates of earlier versions, which do not say it.
    """
    kept = _kept(pa.ipc.open_stream(template).schema)
    return otherwise if kept is None else kept["key"]


def column_names(template: bytes) -> list[str]:
    """Return the names of the columns of a frame that was saved."""
    return list(pa.ipc.open_stream(template).schema.names)


def undescribe(template: bytes) -> tuple[pa.Table, int, dict[str, str]]:
    """Return the table with one empty row, how many rows it had, and what restores their signs."""
    table = pa.ipc.open_stream(template).read_all()
    kept = _kept(table.schema)
    metadata = dict(table.schema.metadata or {})
    metadata.pop(_KEPT, None)
    signs = {} if kept is None else kept["negative_zeros"]
    return table.replace_schema_metadata(metadata or None), kept["rows"] if kept else 0, signs


def _kept(schema: pa.Schema) -> _Kept | None:
    text = (schema.metadata or {}).get(_KEPT)
    kept: _Kept | None = None if text is None else json.loads(text)
    return kept


def negative_zeros(plain: pa.Table) -> dict[str, str]:
    """Return the rows of each column where SQLite would store 0.0 for -0.0, compressed."""
    found = {}
    for name, column in zip(plain.column_names, plain.columns, strict=True):
        if pa.types.is_floating(column.type):
            column = column.cast(pa.float64())
            signs = pc.equal(pc.divide(1.0, column), -math.inf)
            rows = pc.indices_nonzero(pc.and_(pc.equal(column, 0.0), signs).combine_chunks())
            if len(rows):
                packed = zlib.compress(array.array("Q", rows.to_pylist()).tobytes())
                found[name] = base64.b64encode(packed).decode()
    return found


def restore_signs(values: list[object], packed: str) -> None:
    """Put the signs of a column's zeros back, as `negative_zeros` found them."""
    rows = array.array("Q", zlib.decompress(base64.b64decode(packed)))
    for row in rows:
        # Somebody may have edited the table.
        if values[row] == 0:
            values[row] = -0.0


def _one_null(column: pa.ChunkedArray) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return pa.nulls(1, column.type)
    categories = column.combine_chunks().dictionary
    code = pa.nulls(1, column.type.index_type)
    return pa.DictionaryArray.from_arrays(code, categories, ordered=column.type.ordered)

"""The forms of Arrow's arrays, tables and types: neither chunks nor offsets count."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from xxhash import xxh3_128_digest

from prefectx.arguments.identity.form import Form, Maker

# What Arrow keeps of a pandas frame names the versions of both.
_VERSIONS = ("pandas_version", "creator")


def maker_of(kind: type, *, is_exact: bool) -> Maker | None:
    """Return what makes the form of an Arrow type's values, None if it has no form of its own."""
    return _MAKERS.get(kind.__name__)


def array_form(array: Any) -> Form:
    """Identify an array by its type and values."""
    return Form("arrow.array", (type_form(array.type), content_form(array)))


def content_form(array: Any) -> Form:
    """Identify the values of an array, without its type."""
    arrow = sys.modules["pyarrow"]
    types = arrow.types
    kind = array.type
    for is_kind, wide in _widened(arrow):
        if is_kind(kind):
            array, kind = array.cast(wide), wide
    if isinstance(array, arrow.ChunkedArray):
        if types.is_dictionary(kind):
            array = array.unify_dictionaries()
        array = array.combine_chunks()
        if isinstance(array, arrow.ChunkedArray):
            array = arrow.concat_arrays(array.chunks or [arrow.array([], kind)])
    if isinstance(array, arrow.ExtensionArray):
        return content_form(array.storage)
    valid = None if array.null_count == 0 else array.is_valid().to_numpy(zero_copy_only=False)
    parts: tuple[object, ...]
    if types.is_large_string(kind) or types.is_large_binary(kind):
        parts = _text(array)
    elif types.is_dictionary(kind):
        parts = (content_form(array.indices), content_form(array.dictionary))
    elif types.is_boolean(kind):
        filled = array.fill_null(False) if array.null_count else array
        parts = (xxh3_128_digest(filled.to_numpy(zero_copy_only=False)),)
    elif types.is_struct(kind):
        parts = tuple(content_form(field) for field in array.flatten())
    elif types.is_large_list(kind) or types.is_fixed_size_list(kind):
        lengths = array.value_lengths().fill_null(0) if types.is_large_list(kind) else None
        parts = (lengths and content_form(lengths), content_form(array.flatten()))
    elif types.is_primitive(kind) or types.is_decimal(kind) or types.is_fixed_size_binary(kind):
        parts = (xxh3_128_digest(_fixed(array, valid)),)
    else:
        parts = (array.to_pylist(),)
    return Form("arrow.values", (len(array), valid is not None and xxh3_128_digest(valid), *parts))


def type_form(kind: Any) -> Form:
    """Identify a type, with the metadata of the fields inside."""
    fields = [kind.field(i) for i in range(kind.num_fields)] if kind.num_fields else []
    parts = [field_form(field) for field in fields if not isinstance(field, type(kind))]
    serialized = getattr(kind, "__arrow_ext_serialize__", None)
    return Form("arrow.type", (str(kind), serialized and bytes(serialized()), *parts))


def field_form(field: Any) -> Form:
    """Identify a field."""
    kind = type_form(field.type)
    return Form("arrow.field", (field.name, kind, field.nullable, _metadata(field.metadata)))


def schema_form(schema: Any) -> Form:
    """Identify a schema."""
    return Form("arrow.schema", (*map(field_form, schema), _metadata(schema.metadata)))


def _widened(arrow: Any) -> list[tuple[Callable[[object], bool], object]]:
    """Return the kinds of types that differ in how they refer to values only, with the widest."""
    types = arrow.types
    never = bool
    return [
        (types.is_string, arrow.large_string()),
        (types.is_binary, arrow.large_binary()),
        (getattr(types, "is_string_view", never), arrow.large_string()),
        (getattr(types, "is_binary_view", never), arrow.large_binary()),
    ]


def _text(array: Any) -> tuple[bytes, bytes]:
    numpy = sys.modules["numpy"]
    if array.null_count:
        array = array.fill_null(sys.modules["pyarrow"].scalar(b"").cast(array.type))
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return xxh3_128_digest(b""), xxh3_128_digest(b"")
    places = numpy.frombuffer(offsets, "i8")[array.offset : array.offset + len(array) + 1]
    first, last = int(places[0]), int(places[-1])
    text = memoryview(data)[first:last] if data is not None else b""
    return xxh3_128_digest(numpy.diff(places)), xxh3_128_digest(text)


def _fixed(array: Any, valid: Any) -> Any:
    """Return the bytes of values of a fixed width, zeros for those that are missing."""
    numpy = sys.modules["numpy"]
    width = array.type.bit_width // 8
    data = array.buffers()[1]
    if data is None or not width or not len(array):
        return b""
    content = memoryview(data)[array.offset * width : (array.offset + len(array)) * width]
    if valid is None:
        return content
    rows = numpy.frombuffer(content, "u1").reshape(len(array), width).copy()
    rows[numpy.logical_not(valid)] = 0
    return rows


def _metadata(metadata: Mapping[bytes, bytes] | None) -> Form:
    """Identify metadata; their order does not count."""
    known = dict(metadata or {})
    if b"pandas" in known:
        try:
            of_pandas = json.loads(known[b"pandas"])
            known[b"pandas"] = json.dumps(
                {name: of_pandas[name] for name in of_pandas if name not in _VERSIONS}
            ).encode()
        except (ValueError, TypeError):  # not made by pandas
            pass
    return Form("arrow.metadata", [part for pair in sorted(known.items()) for part in pair])


def _scalar(scalar: Any) -> Form:
    return Form("arrow.scalar", (array_form(sys.modules["pyarrow"].repeat(scalar, 1)),))


def _table(table: Any) -> Form:
    name = type(table).__name__
    columns = (content_form(column) for column in table.columns)
    return Form(f"arrow.{name}", (schema_form(table.schema), table.num_rows, *columns))


_MAKERS: dict[str, Maker] = {
    "Array": array_form,
    "ChunkedArray": lambda column: Form("arrow.chunked", (array_form(column),)),
    "Table": _table,
    "RecordBatch": _table,
    "Schema": schema_form,
    "Field": field_form,
    "DataType": type_form,
    "Scalar": _scalar,
    "Buffer": lambda buffer: Form("arrow.buffer", (buffer.to_pybytes(),)),
}

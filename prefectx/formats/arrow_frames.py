"""pandas frames as Arrow tables that give them back exactly.

Arrow and pandas keep the plain ones. Of all others the columns are kept in Arrow's types where
these can hold them, else as text, and a description in the table's metadata says what they were. Longer than 250 lines as writing and
reading must agree.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import TYPE_CHECKING, cast

from prefectx.formats import columns, values
from prefectx.formats.base import FormatError
from prefectx.formats.flat_frames import assemble, flatten, naming
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.columns import Description
    from prefectx.formats.library_types import (
        ArrowColumn,
        ArrowTable,
        ArrowType,
        PandasArray,
        PandasDtype,
        PandasFrame,
        PandasIndex,
        PandasSeries,
    )

_PURPOSE = "for data frames"
# The keys of a table's metadata: our description, and that of pandas.
_TYPES, _PANDAS = b"prefectx.types", b"pandas"


def is_plain(frame: PandasFrame) -> bool:
    """Tell whether Arrow and pandas keep all of a frame by themselves."""
    text = require("pandas", _PURPOSE).Index([""]).dtype
    labels = frame.columns
    return (
        labels.dtype == text
        and labels.nlevels == 1
        and labels.name is None
        and labels.is_unique
        and len(labels) > 0
        and all(type(label) is str for label in labels)
        and not frame.attrs
        and frame.flags.allows_duplicate_labels
        and _is_plain_index(frame.index)
        and all(_is_native(dtype) for dtype in frame.dtypes)
    )


def _is_plain_index(index: PandasIndex) -> bool:
    pandas = require("pandas", _PURPOSE)
    if isinstance(index, pandas.RangeIndex):
        return index.name is None
    return (
        not isinstance(index, pandas.MultiIndex)
        and getattr(index, "freq", None) is None
        and (index.name is None or (type(index.name) is str and index.name != ""))
        and not str(index.name).startswith("__index_level_")
        and _is_native(index.dtype)
        # Nullable types are lost in an index without rows.
        and not isinstance(index.dtype, pandas.core.arrays.masked.BaseMaskedDtype)
    )


def _is_native(dtype: PandasDtype) -> bool:
    """Tell whether a column of this type comes back from Parquet as it was."""
    pandas = require("pandas", _PURPOSE)
    if isinstance(dtype, pandas.StringDtype):
        return bool(dtype.storage == pandas.Index([""], dtype="string").dtype.storage)
    if dtype.kind in "Mm":
        return getattr(dtype, "tz", None) is None and "[s]" not in str(dtype)
    if isinstance(dtype, pandas.core.arrays.masked.BaseMaskedDtype):
        return bool(dtype.kind != "f")  # NaN would come back as NA
    extension = isinstance(dtype, pandas.api.extensions.ExtensionDtype)
    return not extension and dtype.kind in "biuf" and dtype.itemsize <= 8


def to_arrow(frame: PandasFrame, *, nested: bool) -> ArrowTable:
    """Return a frame as an Arrow table.

    Raises:
        FormatError: a part of it cannot be kept.
    """
    pyarrow = require("pyarrow", "for tables")
    if is_plain(frame):
        return pyarrow.Table.from_pandas(frame)
    flat = flatten(frame)
    count = len(flat.names) - frame.shape[1]
    names = [
        name or f"__index_level_{i}__" if i < count else name for i, name in enumerate(flat.names)
    ]
    arrays, kept = [], []
    for column, part in zip(flat.columns, flat.parts, strict=True):
        with naming(part):
            array, description = _to_arrow_column(column, nested=nested)
        arrays.append(array)
        kept.append(description)
    table = pyarrow.Table.from_arrays(arrays, names=names)
    natives = {
        name: column
        for name, column, description in zip(names, flat.columns, kept, strict=True)
        if "native" in description
    }
    plain = require("pandas", _PURPOSE).DataFrame(natives, index=range(len(frame)))
    levels = names[:count]
    types = {
        "scheme": 1,
        "rows": len(frame),
        "frame": flat.description,
        "columns": kept,
    }
    metadata = {
        _PANDAS: _with_index(pyarrow.Schema.from_pandas(plain).metadata[_PANDAS], levels),
        _TYPES: json.dumps(types).encode(),
    }
    return table.replace_schema_metadata(metadata)


def _with_index(metadata: bytes, levels: list[str]) -> bytes:
    """Name the index in pandas' own metadata, for programs that do not know ours."""
    made = json.loads(metadata)
    known = {column["field_name"] for column in made["columns"]}
    for name in levels:
        if name not in known:
            column = {"pandas_type": "unicode", "numpy_type": "object", "metadata": None}
            made["columns"].append({"name": name, "field_name": name, **column})
    if levels:
        made["index_columns"] = levels
    return json.dumps(made).encode()


def from_arrow(table: ArrowTable) -> PandasFrame:
    """Return the frame from which `to_arrow` made a table, or what pandas makes of another one."""
    metadata = table.schema.metadata or {}
    if _TYPES not in metadata:
        return table.to_pandas()
    types = json.loads(metadata[_TYPES])
    kept = cast("list[Description]", types["columns"])
    native = [name for name, d in zip(table.column_names, kept, strict=True) if "native" in d]
    plain = json.loads(metadata[_PANDAS])
    plain["index_columns"] = []
    pandas_metadata = {_PANDAS: json.dumps(plain).encode()}
    natives = table.select(native).replace_schema_metadata(pandas_metadata).to_pandas()
    arrays = [
        _from_native(natives[name], description)
        if "native" in description
        else _from_arrow_column(column, description)
        for name, column, description in zip(table.column_names, table.columns, kept, strict=True)
    ]
    return assemble(arrays, table.column_names, types["rows"], types["frame"])


def _to_arrow_column(column: PandasSeries, *, nested: bool) -> tuple[ArrowColumn, Description]:
    pyarrow, pandas = require("pyarrow", "for tables"), require("pandas", _PURPOSE)
    dtype = column.dtype
    if isinstance(dtype, pandas.DatetimeTZDtype):
        zone = values.write_zone(dtype.tz)
        return pyarrow.array(column), {"native": dtype.unit, "zone": zone}
    if _is_native(dtype) or str(dtype) in _SECONDS:
        return pyarrow.array(column, from_pandas=True), {"native": str(dtype)}
    if isinstance(dtype, pandas.CategoricalDtype) and _is_native(dtype.categories.dtype):
        array = pyarrow.array(column)
        if not isinstance(dtype.categories.dtype, pandas.StringDtype):
            array = array.dictionary_decode()
        index = columns.encode_index(dtype.categories)
        return array, {"categories": index, "ordered": dtype.ordered, "values": True}
    if isinstance(dtype, pandas.ArrowDtype) and _is_readable(dtype.pyarrow_dtype, nested=nested):
        array = column.array.__arrow_array__()
        return array, {"arrow": columns.write_arrow_type(array.type), "values": True}
    if dtype == "object":
        array = _plain_objects(column, nested=nested)
        if array is not None:
            return array, {"objects": "values"}
    cells, description = columns.to_texts(column)
    return pyarrow.array(cells, pyarrow.string()), description


# Parquet has no times in seconds.
_SECONDS = {"datetime64[s]", "timedelta64[s]"}


def _plain_objects(column: PandasSeries, *, nested: bool) -> ArrowColumn | None:
    """Return a column of objects in the type that Arrow gives them, None if it changes them."""
    pyarrow = require("pyarrow", "for tables")
    cells = column.tolist()
    if not _is_known(cells):
        return None
    try:
        array = pyarrow.array(cells)
    except (pyarrow.ArrowException, ValueError, TypeError, OverflowError, UnicodeError):
        return None
    if _is_readable(array.type, nested=nested) and values.is_same(array.to_pylist(), cells):
        return array
    return None


def _is_known(cells: list[object]) -> bool:
    """Tell whether cells are of types that Arrow has: others can crash it."""
    parts = list(cells)
    while parts:
        part = parts.pop()
        cls = type(part)
        if cls is list:
            parts.extend(cast("list[object]", part))
        elif cls is dict:
            members = cast("dict[object, object]", part)
            if not members or not all(type(key) is str for key in members):
                return False
            parts.extend(members.values())
        elif cls is decimal.Decimal:
            if not cast("decimal.Decimal", part).is_finite():
                return False
        elif cls not in _KNOWN:
            return False
    return True


_KNOWN = {
    *(type(None), bool, int, float, str, bytes),
    *(dt.date, dt.datetime, dt.time, dt.timedelta),
}


def _is_readable(kind: ArrowType, *, nested: bool) -> bool:
    types = require("pyarrow", "for tables").types
    if types.is_list(kind):
        return nested and _is_readable(kind.value_type, nested=True)
    if types.is_struct(kind):
        fields = [kind.field(i).type for i in range(kind.num_fields)]
        # Parquet cannot hold a struct without fields.
        return nested and bool(fields) and all(_is_readable(f, nested=True) for f in fields)
    return str(kind) in _READABLE or types.is_decimal128(kind)


_READABLE = {
    *("null", "bool", "int64", "double", "string", "binary", "date32[day]", "time64[us]"),
    *("timestamp[us]", "duration[us]"),
}


def _from_native(column: PandasSeries, description: Description) -> PandasArray:
    pandas = require("pandas", _PURPOSE)
    if "zone" in description:
        zone = values.read_zone(cast("str", description["zone"]))
        return column.dt.tz_convert(zone).dt.as_unit(description["native"]).array
    if column.dtype == description["native"]:
        return column.array
    return column.astype(pandas.api.types.pandas_dtype(description["native"])).array


def _from_arrow_column(column: ArrowColumn, description: Description) -> PandasArray:
    pyarrow, pandas = require("pyarrow", "for tables"), require("pandas", _PURPOSE)
    if description.get("objects") == "values":
        array = require("numpy", _PURPOSE).empty(len(column), object)
        array[:] = column.to_pylist()
        return array
    if "values" not in description:
        return columns.from_texts(column.to_pylist(), description)
    if "arrow" in description:
        kind = columns.read_arrow_type(description)
        return pandas.arrays.ArrowExtensionArray(column.cast(kind))
    dtype = columns.category_type(description)
    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    categories = pyarrow.array(dtype.categories).cast(column.type)
    compute = require("pyarrow.compute", "for tables")
    codes = compute.index_in(column, value_set=categories)
    if codes.null_count > column.null_count:
        raise FormatError("a value is not among the categories")
    return pandas.Categorical.from_codes(codes.fill_null(-1).to_numpy(), dtype=dtype)

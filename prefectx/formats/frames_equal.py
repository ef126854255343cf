"""Whether a frame came back unchanged: values, types, names, order, and all else that it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefectx.formats import values
from prefectx.formats.base import FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import (
        ArrowTable,
        Frame,
        PandasDtype,
        PandasFrame,
        PandasIndex,
        PandasSeries,
        PolarsFrame,
    )


def check(data: Frame, back: Frame) -> None:
    """Raise `FormatError` if `back`, read from a file, is not the frame `data`."""
    if type(data) is not type(back):
        raise FormatError(f"{type_name(data)} would come back as {type_name(back)}")
    if type_name(data).startswith("pandas"):
        _check_pandas(data, back)
    elif type_name(data).startswith("polars"):
        _check_polars(data, back)
    else:
        _check_arrow(data, back)


def _check_pandas(data: PandasFrame, back: PandasFrame) -> None:
    _check_index("columns", data.columns, back.columns)
    _check_index("index", data.index, back.index)
    if not values.is_same(data.attrs, back.attrs):
        raise FormatError(f"attrs {data.attrs} would come back as {back.attrs}")
    if data.flags != back.flags:
        raise FormatError(f"{data.flags} would come back as {back.flags}")
    for i, name in enumerate(data.columns):
        _check_column(f"the column {name!r}", data.iloc[:, i], back.iloc[:, i])


def _check_index(part: str, data: PandasIndex, back: PandasIndex) -> None:
    if type(data) is not type(back) or data.nlevels != back.nlevels:
        raise FormatError(f"{part} ({type_name(data)}) would come back as {type_name(back)}")
    if len(data) != len(back):
        raise FormatError(f"the {part} of length {len(data)} would come back with {len(back)}")
    if not values.is_same(list(data.names), list(back.names)):
        name = "name" if data.nlevels == 1 else "names"
        raise FormatError(
            f"{part}.{name} {_short(data.names)} would come back as {_short(back.names)}"
        )
    if data.nlevels > 1 or hasattr(data, "levels"):
        for i in range(data.nlevels):
            _check_dtype(f"{part}.levels[{i}]", data.levels[i].dtype, back.levels[i].dtype)
            _check_column(f"{part}.levels[{i}]", data.get_level_values(i), back.get_level_values(i))
        return
    freq, found = getattr(data, "freq", None), getattr(back, "freq", None)
    if freq != found:
        raise FormatError(f"{part}.freq {freq} would come back as {found}; set it to None")
    _check_column(part, data, back)


def _check_column(
    part: str, data: PandasSeries | PandasIndex, back: PandasSeries | PandasIndex
) -> None:
    _check_dtype(part, data.dtype, back.dtype)
    if data.dtype != object and data.array.dtype.kind not in "fc" and data.equals(back):
        return
    if _is_equal_float(data, back):
        return
    pairs = (values_of.astype(object).tolist() for values_of in (data, back))
    for one, other in zip(*pairs, strict=True):
        if not values.is_same(one, other):
            raise FormatError(f"{part} would come back different: {_short(one)} as {_short(other)}")


def _is_equal_float(data: PandasSeries | PandasIndex, back: PandasSeries | PandasIndex) -> bool:
    numpy = require("numpy", "for data frames")
    if not (isinstance(data.dtype, numpy.dtype) and data.dtype.kind == "f"):
        return False
    one, other = data.to_numpy(), back.to_numpy()
    return bool(
        numpy.array_equal(one, other, equal_nan=True)
        and ((numpy.signbit(one) == numpy.signbit(other)) | numpy.isnan(one)).all()
    )


def _check_dtype(part: str, data: PandasDtype, back: PandasDtype) -> None:
    types = require("pandas.api.types", "for data frames")
    same = type(data) is type(back) and data == back and str(data) == str(back)
    if same and isinstance(data, types.CategoricalDtype):
        if data.ordered != back.ordered:
            raise FormatError(f"{part}: the order of its categories would get lost")
        _check_index(f"{part}: its categories", data.categories, back.categories)
    elif isinstance(data, types.CategoricalDtype):
        raise FormatError(
            f"{part}: the categories {_short(list(data.categories))} would come back as "
            f"{_short(list(getattr(back, 'categories', [])))} ({back})"
        )
    elif not same:
        raise FormatError(f"{part}: the type {data!r} would come back as {back!r}")
    elif getattr(data, "tz", None) is not None and type(data.tz) is not type(back.tz):
        raise FormatError(f"{part}: the zone {data.tz!r} would come back as {back.tz!r}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:75]}..."


def _check_polars(data: PolarsFrame, back: PolarsFrame) -> None:
    for name, dtype in data.schema.items():
        if back.schema.get(name) != dtype:
            raise FormatError(
                f"the column {name!r} ({dtype}) would come back as {back.schema.get(name)}"
            )
    if data.columns != back.columns:
        raise FormatError(f"the columns would come back as {back.columns}")
    if not data.equals(back, null_equal=True):
        for name in data.columns:
            if not data[name].equals(back[name], null_equal=True):
                raise FormatError(f"the column {name!r} would come back with other values")


def _check_arrow(data: ArrowTable, back: ArrowTable) -> None:
    if data.schema.names != back.schema.names:
        raise FormatError(f"the columns {data.schema.names} would come back as {back.schema.names}")
    for field, found in zip(data.schema, back.schema, strict=True):
        if not field.equals(found, check_metadata=True):
            raise FormatError(f"the column {field} would come back as {found}")
    if not data.schema.equals(back.schema, check_metadata=True):
        raise FormatError("the metadata of the schema would come back different")
    # To Arrow two NaN differ; their texts are equal.
    if not data.equals(back):
        for name, one, other in zip(data.column_names, data.columns, back.columns, strict=True):
            if repr(one.to_pylist()) != repr(other.to_pylist()):
                raise FormatError(f"the column {name!r} would come back with other values")

"""Columns and indexes of pandas as text, and the description that makes them of it again.

A description is JSON: the type of a column with all that belongs to it, such as its zone or its
categories in their order. Longer than 250 lines as writing and reading a kind stand together.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from prefectx.formats import values
from prefectx.formats.base import FormatError
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import (
        ArrowType,
        PandasArray,
        PandasDtype,
        PandasIndex,
        PandasSeries,
    )
    from prefectx.formats.values import Json

    Cells: TypeAlias = Sequence[str | None]
    Description: TypeAlias = dict[str, Json]

_PURPOSE = "for data frames"
# What a file of text cannot hold.
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
MISSING_KINDS = {"none", "nan", "NA", "NaT"}


def to_texts(column: PandasSeries | PandasIndex) -> tuple[Cells, Description]:
    """Return the text of each value, None for a missing one, and a description of the column.

    Raises:
        FormatError: it holds values that cannot be kept.
    """
    cells, description = _to_texts(column)
    if any(cell is not None and _UNWRITABLE.search(cell) for cell in cells):
        return [None if c is None else json.dumps(c) for c in cells], {
            **description,
            "escaped": True,
        }
    return cells, description


def from_texts(cells: Cells, description: Description) -> PandasArray:
    """Return the array whose values have these texts."""
    if description.get("escaped"):
        cells = [None if cell is None else json.loads(cell) for cell in cells]
    for key, read in _READERS.items():
        if key in description:
            return read(cells, description)
    raise ValueError(f"unknown description of a column: {description}")


def _to_texts(column: PandasSeries | PandasIndex) -> tuple[Cells, Description]:
    pandas = require("pandas", _PURPOSE)
    array, dtype = column.array, column.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return _write_categories(array)
    if isinstance(dtype, pandas.StringDtype):
        missing = "NA" if dtype.na_value is pandas.NA else "nan"
        texts = [None if cell is dtype.na_value or cell != cell else cell for cell in _cells(array)]
        return texts, {"string": dtype.storage, "missing": missing}
    if isinstance(dtype, pandas.PeriodDtype):
        return _or_integers(array, list(map(str, array)), {"period": dtype.name})
    if isinstance(dtype, pandas.IntervalDtype):
        return _write_intervals(array)
    if isinstance(dtype, pandas.SparseDtype):
        cells, inner = to_texts(pandas.Series(array.to_dense()))
        return cells, {"sparse": inner, "fill": values.encode(dtype.fill_value)}
    if isinstance(dtype, pandas.ArrowDtype):
        objects = pandas.Series(array.__arrow_array__().to_pylist(), dtype=object)
        cells, inner = _write_objects(objects)
        return cells, {"arrow": write_arrow_type(dtype.pyarrow_dtype), **inner}
    if isinstance(dtype, pandas.core.arrays.masked.BaseMaskedDtype):
        kept = array.isna()
        cells, inner = _write_numbers(array.to_numpy(dtype.numpy_dtype, na_value=dtype.type(0)))
        cells = [None if gone else cell or "nan" for cell, gone in zip(cells, kept, strict=True)]
        return cells, {"masked": dtype.name}
    kind = getattr(dtype, "kind", "")
    if kind == "M":
        return _write_times(array)
    if kind == "m":
        return _or_integers(array, list(map(str, array)), {"dtype": dtype.str})
    if dtype == "object":
        return _write_objects(column)
    if kind in "biufc" and not isinstance(dtype, pandas.api.extensions.ExtensionDtype):
        return _write_numbers(array.to_numpy())
    raise FormatError(f"it cannot hold the type {dtype}")


def _cells(array: PandasArray) -> PandasArray:
    # Much faster than a loop over the array.
    return array.to_numpy(dtype=object).tolist()


def _write_numbers(array: PandasArray) -> tuple[Cells, Description]:
    description: Description = {"dtype": array.dtype.str}
    if array.dtype.kind == "c":
        parts = [_write_numbers(part)[0] for part in (array.real, array.imag)]
        cells: Cells = [
            f"{real or 'nan'} {imag or 'nan'}" for real, imag in zip(*parts, strict=True)
        ]
        return cells, description
    if array.dtype == "float64":
        return [repr(cell) if cell == cell else None for cell in array.tolist()], description
    # NumPy writes the shortest text that tells a number from others of its width.
    texts = array.astype(str).tolist()
    return [None if text == "nan" else text for text in texts], description


def _read_numbers(cells: Iterable[str | None], description: Description) -> PandasArray:
    numpy = require("numpy", _PURPOSE)
    dtype = numpy.dtype(description["dtype"])
    known = [cell or "nan" for cell in cells]
    if dtype.kind == "M":
        return _read_times(known, description, dtype)
    if dtype.kind == "m":
        if description.get("integers"):
            return _from_integers(known, dtype)
        deltas = require("pandas", _PURPOSE).to_timedelta(known)
        return deltas.as_unit(numpy.datetime_data(dtype)[0]).array
    if dtype.kind == "c":
        width = numpy.dtype(f"f{dtype.itemsize // 2}")
        array = numpy.empty(len(known), dtype)
        for i, part in enumerate(("real", "imag")):
            texts = [cell.split()[i] for cell in known]
            setattr(array, part, _read_numbers(texts, {"dtype": width.str}))
        return array
    if dtype.kind == "b":
        return numpy.array([{"True": True, "False": False}[cell] for cell in known], dtype)
    if dtype.kind in "iu":
        return numpy.array(list(map(int, known)), dtype)
    return numpy.array([dtype.type(cell) for cell in known], dtype)


def _write_times(array: PandasArray) -> tuple[Cells, Description]:
    numpy = require("numpy", _PURPOSE)
    local = array if array.tz is None else array.tz_localize(None)
    times = numpy.asarray(local).astype(f"M8[{array.unit}]")
    seconds = times.astype("M8[s]")
    missing = numpy.isnat(times)
    unit = "s" if ((seconds == times) | missing).all() else array.unit
    if array.tz is None and ((times.astype("M8[D]") == times) | missing).all():
        unit = "D"
    # NumPy's text, with the blank that pandas writes.
    texts = numpy.datetime_as_string(times, unit).tolist()
    cells = [None if text == "NaT" else text.replace("T", " ") for text in texts]
    description: Description = {"dtype": times.dtype.str}
    if array.tz is None:
        return cells, description
    description["zone"] = values.write_zone(array.tz)
    utc = numpy.asarray(array.tz_convert("UTC").tz_localize(None)).astype("M8[s]")
    offsets = (seconds - utc).astype("int64").tolist()
    pairs = zip(cells, offsets, strict=True)
    return [None if text is None else text + _offset(off) for text, off in pairs], description


def _offset(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def _read_times(cells: list[str], description: Description, dtype: PandasDtype) -> PandasArray:
    numpy, pandas = require("numpy", _PURPOSE), require("pandas", _PURPOSE)
    cells = ["NaT" if cell == "nan" else cell for cell in cells]
    if "zone" not in description:
        return pandas.DatetimeIndex(numpy.array(cells, dtype)).array
    found = [re.fullmatch(r"(.*)([+-])(\d\d):(\d\d)(?::(\d\d))?", cell) for cell in cells]
    local = numpy.array([match[1] if match else "NaT" for match in found], dtype)
    offsets = [
        int(f"{match[2]}1") * (int(match[3]) * 3600 + int(match[4]) * 60 + int(match[5] or 0))
        if match
        else 0
        for match in found
    ]
    utc = local - numpy.array(offsets, "m8[s]")
    zone = values.read_zone(cast("str", description["zone"]))
    return pandas.DatetimeIndex(utc).tz_localize("UTC").tz_convert(zone).array


def _or_integers(
    array: PandasArray, texts: list[str], description: Description
) -> tuple[Cells, Description]:
    """Return the texts if pandas reads them as they were, else the numbers behind them."""
    missing = array.isna()
    cells = [None if gone else text for text, gone in zip(texts, missing, strict=True)]
    try:
        if from_texts(cells, description).equals(array):
            return cells, description
    except (ValueError, OverflowError):
        pass
    numbers = array.asi8.tolist()
    cells = [None if gone else str(n) for n, gone in zip(numbers, missing, strict=True)]
    return cells, {**description, "integers": True}


def _from_integers(cells: Iterable[str], dtype: PandasDtype) -> PandasArray:
    numpy = require("numpy", _PURPOSE)
    missing = numpy.iinfo("int64").min
    numbers = numpy.array([missing if c == "nan" else int(c) for c in cells], "int64")
    return require("pandas", _PURPOSE).TimedeltaIndex(numbers.view(dtype)).array


def _read_periods(cells: Cells, description: Description) -> PandasArray:
    pandas, numpy = require("pandas", _PURPOSE), require("numpy", _PURPOSE)
    dtype = pandas.api.types.pandas_dtype(description["period"])
    if description.get("integers"):
        missing = numpy.iinfo("int64").min
        ordinals = [missing if cell is None else int(cell) for cell in cells]
        return pandas.arrays.PeriodArray(numpy.array(ordinals, "int64"), dtype=dtype)
    return pandas.PeriodIndex(list(cells), dtype=dtype).array


def _write_intervals(array: PandasArray) -> tuple[Cells, Description]:
    left, ends = to_texts(array.left)
    right, _ = to_texts(array.right)
    begin = "[" if array.closed in ("left", "both") else "("
    end = "]" if array.closed in ("right", "both") else ")"
    rows = zip(left, right, array.isna(), strict=True)
    cells = [None if gone else f"{begin}{low}, {high}{end}" for low, high, gone in rows]
    return cells, {"interval": array.closed, "ends": ends}


def _read_intervals(cells: Cells, description: Description) -> PandasArray:
    pandas = require("pandas", _PURPOSE)
    ends = cast("Description", description["ends"])
    pairs = [(None, None) if cell is None else cell[1:-1].split(", ") for cell in cells]
    left, right = (from_texts([pair[i] for pair in pairs], ends) for i in range(2))
    return pandas.arrays.IntervalArray.from_arrays(left, right, closed=description["interval"])


def _write_categories(array: PandasArray) -> tuple[Cells, Description]:
    index = array.categories
    texts, _ = to_texts(index)
    # Categories of several types may have one text: their numbers tell them apart.
    if len(set(texts)) < len(texts) or None in texts:
        texts = [str(code) for code in range(len(index))]
    cells = [None if code < 0 else texts[code] for code in array.codes.tolist()]
    return cells, {"categories": encode_index(index), "ordered": array.ordered}


def _read_categories(cells: Cells, description: Description) -> PandasArray:
    pandas = require("pandas", _PURPOSE)
    dtype = category_type(description)
    texts, _ = to_texts(dtype.categories)
    if len(set(texts)) < len(texts) or None in texts:
        texts = [str(code) for code in range(len(dtype.categories))]
    codes = {text: code for code, text in enumerate(texts)}
    found = [-1 if cell is None else codes[cell] for cell in cells]
    return pandas.Categorical.from_codes(found, dtype=dtype)


def category_type(description: Description) -> PandasDtype:
    """Return the type of a column of categories."""
    pandas = require("pandas", _PURPOSE)
    categories = decode_index(cast("Description", description["categories"]))
    return pandas.CategoricalDtype(categories, ordered=description["ordered"])


def _write_objects(column: PandasSeries | PandasIndex) -> tuple[Cells, Description]:
    cells: list[str | None] = []
    kinds: list[str] = []
    for value in _cells(column.array):
        kind = values.text_kind(value) or "json"
        if kind == "json":
            text = json.dumps(values.encode(value), ensure_ascii=False)
        else:
            text = values.to_text(value, kind)
            if type(value) is float and value != value:
                kind = "nan"
        kinds.append(kind)
        cells.append(None if kind in MISSING_KINDS else text)
    return cells, {"objects": [[kind, len(list(run))] for kind, run in itertools.groupby(kinds)]}


def _read_objects(cells: Cells, description: Description) -> PandasArray:
    runs = cast("list[tuple[str, int]]", description["objects"])
    kinds = itertools.chain.from_iterable(itertools.repeat(kind, count) for kind, count in runs)
    array = require("numpy", _PURPOSE).empty(len(cells), object)
    for i, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
        if kind == "json":
            array[i] = values.decode(json.loads(cell or ""))
        elif kind == "nan":
            array[i] = float("nan")
        else:
            array[i] = values.from_text(cell or "", kind)
    return array


def _read_strings(cells: Cells, description: Description) -> PandasArray:
    pandas, numpy = require("pandas", _PURPOSE), require("numpy", _PURPOSE)
    if description["missing"] == "NA":
        return pandas.array(list(cells), pandas.StringDtype(description["string"]))
    dtype = pandas.StringDtype(description["string"], na_value=numpy.nan)
    return pandas.array(list(cells), dtype=dtype)


def _read_arrow(cells: Cells, description: Description) -> PandasArray:
    pyarrow, pandas = require("pyarrow", _PURPOSE), require("pandas", _PURPOSE)
    kind = read_arrow_type(description)
    objects = _read_objects(cells, description).tolist()
    return pandas.arrays.ArrowExtensionArray(pyarrow.chunked_array([pyarrow.array(objects, kind)]))


def write_arrow_type(kind: ArrowType) -> str:
    """Return a type of Arrow as text."""
    schema = require("pyarrow", _PURPOSE).schema([("", kind)])
    return base64.b64encode(schema.serialize()).decode()


def read_arrow_type(description: Description) -> ArrowType:
    """Return the type of a column of Arrow's."""
    pyarrow, ipc = require("pyarrow", _PURPOSE), require("pyarrow.ipc", _PURPOSE)
    content = base64.b64decode(cast("str", description["arrow"]))
    return ipc.read_schema(pyarrow.py_buffer(content)).field(0).type


def _read_masked(cells: Cells, description: Description) -> PandasArray:
    pandas, numpy = require("pandas", _PURPOSE), require("numpy", _PURPOSE)
    dtype = pandas.api.types.pandas_dtype(description["masked"])
    filler = "False" if dtype.kind == "b" else "0"
    mask = numpy.array([cell is None for cell in cells], bool)
    known = (filler if cell is None else cell for cell in cells)
    numbers = _read_numbers(known, {"dtype": dtype.numpy_dtype.str})
    return dtype.construct_array_type()(numbers, mask)


def _read_sparse(cells: Cells, description: Description) -> PandasArray:
    pandas = require("pandas", _PURPOSE)
    dense = from_texts(cells, cast("Description", description["sparse"]))
    dtype = pandas.SparseDtype(dense.dtype, values.decode(description["fill"]))
    return pandas.arrays.SparseArray(dense, dtype=dtype)


# By the key of a description; the first that it has. Arrow's columns hold objects.
_READERS = {
    "categories": _read_categories,
    "string": _read_strings,
    "period": _read_periods,
    "interval": _read_intervals,
    "sparse": _read_sparse,
    "arrow": _read_arrow,
    "masked": _read_masked,
    "objects": _read_objects,
    "dtype": _read_numbers,
}


def encode_index(index: PandasIndex) -> Description:
    """Return all of an index as JSON.

    Raises:
        FormatError: it holds values that cannot be kept.
    """
    pandas = require("pandas", _PURPOSE)
    names: Json = [values.encode(name) for name in index.names]
    if isinstance(index, pandas.MultiIndex):
        levels: list[Json] = [encode_index(level.rename(None)) for level in index.levels]
        return {"levels": levels, "codes": [c.tolist() for c in index.codes], "names": names}
    if isinstance(index, pandas.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "names": names}
    cells, description = to_texts(index)
    return {"cells": list(cells), **description, **frequency(index), "names": names}


def decode_index(description: Description) -> PandasIndex:
    """Return the index that `encode_index` wrote."""
    pandas = require("pandas", _PURPOSE)
    names = [values.decode(name) for name in cast("list[Json]", description["names"])]
    if "levels" in description:
        levels = [decode_index(level) for level in cast("list[Description]", description["levels"])]
        return pandas.MultiIndex(levels, description["codes"], names=names)
    if "range" in description:
        return pandas.RangeIndex(*cast("list[int]", description["range"]), name=names[0])
    array = from_texts(cast("Cells", description["cells"]), description)
    return make_index(array, names[0], description)


def make_index(array: PandasArray, name: object, description: Description) -> PandasIndex:
    """Return an index of the values of an array, with the frequency of a description."""
    pandas = require("pandas", _PURPOSE)
    index = pandas.Index(array, dtype=array.dtype, name=name, tupleize_cols=False)
    if "freq" in description:
        index.freq = description["freq"]
    return index


def frequency(index: PandasIndex) -> Description:
    """Return the frequency of an index of times as a part of its description.

    Raises:
        FormatError: text cannot name it.
    """
    pandas = require("pandas", _PURPOSE)
    freq = getattr(index, "freq", None)
    if freq is None or isinstance(index, pandas.PeriodIndex):
        return {}
    try:
        if pandas.tseries.frequencies.to_offset(freq.freqstr) == freq:
            return {"freq": freq.freqstr}
    except ValueError:
        pass
    raise FormatError(f"it cannot hold the index's freq {freq!r}: set it to None")

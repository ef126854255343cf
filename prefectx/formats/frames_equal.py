"""Whether a frame came back unchanged: equal values in equal places, types at least as wide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prefectx.formats.base import FormatError, type_name
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import (
        ArrowTable,
        Frame,
        PandasFrame,
        PandasSeries,
        PolarsFrame,
    )


def is_numbered(frame: PandasFrame) -> bool:
    """Tell whether a pandas frame's index only numbers its rows."""
    pandas = require("pandas", "for data frames")
    index = frame.index
    return index.name is None and index.equals(pandas.RangeIndex(len(frame)))


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
    if list(back.columns) != list(data.columns):
        raise FormatError(
            f"the columns {list(data.columns)} would come back as {list(back.columns)}"
        )
    if len(back) != len(data):
        raise FormatError(f"its {len(data)} rows would come back as {len(back)}")
    back = _narrowed(back, data)
    if not _same(data.iloc[:, :0], back.iloc[:, :0]):
        raise FormatError(
            f"the index {data.index.names} ({data.index.dtype}) would come back as "
            f"{back.index.names} ({back.index.dtype}); reset_index() makes columns of it"
        )
    for i, name in enumerate(data.columns):
        # `equals` is strict, and many times faster than `assert_frame_equal`.
        if data.iloc[:, i].equals(back.iloc[:, i]):
            continue
        if not _same(data.iloc[:, [i]], back.iloc[:, [i]]):
            raise FormatError(_difference(name, data.iloc[:, i], back.iloc[:, i]))


def _same(data: PandasFrame, back: PandasFrame) -> bool:
    testing = require("pandas.testing", "for data frames")
    try:
        testing.assert_frame_equal(
            data,
            back,
            check_dtype=False,
            check_index_type=False,
            check_column_type=False,
            # Without rows a file does not keep categories; an empty frame is still no error.
            check_categorical=len(data) > 0,
            check_exact=True,
            check_freq=False,
            check_flags=False,
        )
    # Comparing arrays inside cells raises ValueError; such cells do not come back equal anyway.
    except (AssertionError, ValueError):
        return False
    return True


def _difference(name: object, data: PandasSeries, back: PandasSeries) -> str:
    pairs = (
        (one, other) for one, other in zip(data, back, strict=True) if repr(one) != repr(other)
    )
    one, other = next(pairs, ("its categories", "others"))
    return f"the column {name!r} would come back different: {one!r} as {other!r}"


def _narrowed(back: PandasFrame, data: PandasFrame) -> PandasFrame:
    """Restore the types of columns that came back as wider numbers, or without categories."""
    if not data.columns.is_unique:
        return back
    types = {
        name: data.dtypes[name]
        for name, dtype in back.dtypes.items()
        if dtype != data.dtypes[name] and _is_wider(dtype, data.dtypes[name])
    }
    return back.astype(types) if types else back


def _is_wider(dtype: object, narrow: object) -> bool:
    types = require("pandas.api.types", "for data frames")
    if isinstance(narrow, types.CategoricalDtype):
        return not narrow.ordered and not isinstance(dtype, types.CategoricalDtype)
    return bool(types.is_numeric_dtype(dtype) and types.is_numeric_dtype(narrow))


def _check_polars(data: PolarsFrame, back: PolarsFrame) -> None:
    if data.schema != back.schema:
        raise FormatError(f"the columns would come back as {dict(back.schema)}")
    if not data.equals(back):
        raise FormatError("values would come back different")


def _check_arrow(data: ArrowTable, back: ArrowTable) -> None:
    if not data.schema.equals(back.schema):
        raise FormatError(f"the schema would come back as {back.schema}")
    # To Arrow two NaN differ; their texts are equal.
    if not data.equals(back) and repr(data.to_pydict()) != repr(back.to_pydict()):
        raise FormatError("values would come back different")


def doubtful_parts(frame: PandasFrame) -> Iterator[PandasFrame]:
    """Yield the parts of a pandas frame that a typed file may change: its types, its objects."""
    # One row, as categories of an empty column get lost.
    yield frame.iloc[:1]
    doubtful = [_is_doubtful(frame.iloc[:, i]) for i in range(frame.shape[1])]
    if any(doubtful) or _is_doubtful(frame.index):
        yield frame.loc[:, doubtful]


def _is_doubtful(values: PandasSeries) -> bool:
    if values.dtype != object:
        return False
    infer = require("pandas.api.types", "for data frames").infer_dtype
    return infer(values, skipna=True) not in {"string", "bytes", "empty"}

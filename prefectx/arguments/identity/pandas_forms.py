"""The forms of pandas' frames, series, indexes, arrays and scalars.

A file for all of them, as a frame is made of all the others.
"""

from __future__ import annotations

import sys
from typing import Any

from xxhash import xxh3_128_digest

from prefectx.arguments.identity import pyarrow_forms
from prefectx.arguments.identity.form import Form, Maker
from prefectx.arguments.identity.names import defining_module
from prefectx.arguments.identity.numpy_forms import array_form, dtype_form, elements_form
from prefectx.arguments.identity.objects import object_form


def maker_of(kind: type, *, is_exact: bool) -> Maker | None:
    """Return what makes the form of a pandas type's values, None if it has no form of its own."""
    maker = _MAKERS.get(kind.__name__)
    if maker is None or is_exact or kind.__name__ not in ("DataFrame", "Series"):
        return maker
    return lambda value: _subclass(value, maker)


def frame_form(frame: Any) -> Form:
    """Identify a frame by its columns, whatever blocks they lie in."""
    labels = (index_form(frame.columns), index_form(frame.index))
    return Form("pandas.frame", (*labels, *_columns(frame), *_extra(frame)))


def series_form(series: Any) -> Form:
    """Identify a series."""
    values = values_form(series.array, series.dtype)
    return Form("pandas.series", (series.name, index_form(series.index), values, *_extra(series)))


def index_form(index: Any) -> Form:
    """Identify an index with its names."""
    names = Form("pandas.names", list(index.names))
    kind = type(index).__name__
    if kind == "RangeIndex":
        return Form("pandas.range index", (index.start, index.stop, index.step, names))
    if kind == "MultiIndex":
        levels = map(_level, index.levels, index.codes)
        return Form("pandas.multi-index", (names, len(index), *levels))
    freq = getattr(index, "freq", None)
    return Form("pandas.index", (kind, names, values_form(index.array, index.dtype), freq))


def values_form(array: Any, dtype: Any) -> Form:
    """Identify the values of a column with their type."""
    numpy = sys.modules["numpy"]
    if isinstance(dtype, numpy.dtype):
        return array_form(numpy.asarray(array))
    return Form("pandas.values", (extension_type_form(dtype), extension_form(array)))


def extension_type_form(dtype: Any) -> Form:
    """Identify an extension type."""
    kind = type(dtype).__name__
    if defining_module(type(dtype)).partition(".")[0] != "pandas":
        return object_form(dtype)
    parts: tuple[object, ...]
    match kind:
        case "CategoricalDtype":
            categories = dtype.categories
            parts = (categories is not None and index_form(categories), dtype.ordered)
        case "DatetimeTZDtype":
            parts = (dtype.unit, str(dtype.tz))
        case "PeriodDtype":
            parts = (dtype.freq,)
        case "IntervalDtype":
            parts = (dtype.subtype, dtype.closed)
        case "SparseDtype":
            parts = (dtype.subtype, dtype.fill_value)
        case "ArrowDtype":
            parts = (dtype.pyarrow_dtype,)
        case "StringDtype":
            # In what the strings are kept depends on whether Arrow is installed.
            parts = (str(getattr(dtype, "na_value", None)),)
        case _:
            parts = (dtype.name,)
    return Form("pandas.extension type", (kind, *parts))


def extension_form(array: Any) -> Form:
    """Identify the values of an extension array, without its type."""
    kind = type(array.dtype).__name__
    if defining_module(type(array)).partition(".")[0] != "pandas":
        return object_form(array)
    if kind == "CategoricalDtype":
        return Form("pandas.codes", (array.codes,))
    if kind in ("DatetimeTZDtype", "PeriodDtype"):
        return elements_form(array.asi8)
    if kind == "IntervalDtype":
        return Form("pandas.intervals", (index_form(array.left), index_form(array.right)))
    if kind == "StringDtype":
        return _text(array)
    if kind == "ArrowDtype":
        return pyarrow_forms.content_form(sys.modules["pyarrow"].array(array))
    if kind == "SparseDtype":
        places = array.sp_index.to_int_index().indices
        return Form("pandas.sparse", (len(array), places, array.sp_values))
    if hasattr(array.dtype, "numpy_dtype"):
        filled = array.to_numpy(array.dtype.numpy_dtype, na_value=0)
        return Form("pandas.masked", (elements_form(filled), elements_form(array.isna())))
    return object_form(array)


def _columns(frame: Any) -> list[object]:
    """Take the columns of one type together: frames may have thousands."""
    numpy = sys.modules["numpy"]
    groups: dict[object, list[int]] = {}
    dtypes = frame.dtypes.tolist()
    for place, dtype in enumerate(dtypes):
        key = dtype if isinstance(dtype, numpy.dtype) else place
        groups.setdefault(key, []).append(place)
    parts: list[object] = []
    for places in groups.values():
        dtype = dtypes[places[0]]
        if isinstance(dtype, numpy.dtype):
            first, last = places[0], places[-1]
            is_run = len(places) == last - first + 1
            chosen = frame.iloc[:, slice(first, last + 1) if is_run else places]
            # Transposed, as each column lies in one piece.
            form = Form("pandas.columns", (dtype_form(dtype), elements_form(chosen.to_numpy().T)))
        else:
            form = values_form(frame.iloc[:, places[0]].array, dtype)
        parts += [Form("pandas.places", places), form]
    return parts


def _level(level: Any, codes: Any) -> Form:
    """Identify a level by its values, sorted if they can be: unused ones do not count."""
    numpy = sys.modules["numpy"]
    codes = numpy.asarray(codes)
    is_used = numpy.bincount(codes.astype("i8") + 1, minlength=len(level) + 1)[1:] > 0
    if not (is_used.all() and level.is_monotonic_increasing):
        chosen = is_used.nonzero()[0]
        try:
            chosen = chosen[level.take(chosen).argsort()]
        except TypeError:  # then in the order in which they come up
            first = numpy.unique(codes, return_index=True)
            chosen = first[0][numpy.argsort(first[1])]
            chosen = chosen[chosen >= 0]
        new = numpy.full(len(level) + 1, -1, "i8")
        new[chosen] = numpy.arange(len(chosen))
        level, codes = level.take(chosen), new[codes]
    size = "i1" if len(level) < 2**7 else "i2" if len(level) < 2**15 else "i8"
    values = values_form(level.array, level.dtype)
    return Form("pandas.level", (type(level).__name__, values, elements_form(codes.astype(size))))


def _text(array: Any) -> Form:
    """Identify strings, however they are kept."""
    missing = array.isna()
    try:
        arrow = sys.modules["pyarrow"]
        return pyarrow_forms.content_form(arrow.array(array, arrow.large_string()))
    except (KeyError, UnicodeEncodeError):  # no Arrow, or half of a character
        numpy = sys.modules["numpy"]
        filled = array.to_numpy(object, na_value="")
        texts = [text.encode(errors="surrogatepass") for text in filled]
        lengths = numpy.fromiter(map(len, texts), "i8", len(texts))
        valid = bool(missing.any()) and xxh3_128_digest(~missing)
        digests = (xxh3_128_digest(lengths), xxh3_128_digest(b"".join(texts)))
        return Form("arrow.values", (len(array), valid, *digests))


def _extra(value: Any) -> tuple[object, ...]:
    return value.attrs, value.flags.allows_duplicate_labels


def _subclass(value: Any, maker: Maker) -> Form:
    own = [part for name in value._metadata for part in (name, getattr(value, name, None))]
    return Form("pandas.subclass", (type(value), maker(value), *own))


def _zone(value: Any) -> str | None:
    return None if value is None else str(value)


def _offset(offset: Any) -> Form:
    kwds = {name: value for name, value in offset.kwds.items() if name != "calendar"}
    return Form("pandas.offset", (type(offset).__name__, offset.n, offset.normalize, kwds))


def _timestamp(value: Any) -> Form:
    number = int(value.asm8.view("i8"))
    return Form("pandas.Timestamp", (value.unit, number, _zone(value.tz), value.fold))


_MAKERS: dict[str, Maker] = {
    "DataFrame": frame_form,
    "Series": series_form,
    "Index": index_form,
    "ExtensionDtype": extension_type_form,
    "ExtensionArray": lambda array: values_form(array, array.dtype),
    "BaseOffset": _offset,
    "Timestamp": _timestamp,
    "Timedelta": lambda value: Form("pandas.Timedelta", (value.unit, int(value.asm8.view("i8")))),
    "Period": lambda value: Form("pandas.Period", (value.ordinal, value.freq)),
    "Interval": lambda value: Form("pandas.Interval", (value.left, value.right, value.closed)),
    "NaTType": lambda value: Form("pandas.NaT"),
    "NAType": lambda value: Form("pandas.NA"),
}

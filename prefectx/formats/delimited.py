"""Data frames in text files: `.csv` and `.tsv`.

Such a file does not name the library that wrote it: pandas reads it, or polars if pandas is not
installed. Two details let an index and times come back, and mean nothing to other readers: the
names of index columns are in quotes, and times have a `T` between date and time.
"""

from __future__ import annotations

import csv
import io
import re
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO

from prefectx.formats import frames_equal
from prefectx.formats.base import Format, FormatError
from prefectx.formats.frames import library_of
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.library_types import ArrowArray, Frame, PandasFrame, PandasSeries

_TIME = re.compile(r"\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?")
# How many rows are converted to text at once, as text takes more memory than the frame.
_ROWS = 100_000
_QUOTED = r'"(?:[^"]|"")*"'


def _dump(data: Frame, stream: BinaryIO, *, separator: str) -> None:
    library = library_of(data)
    if library != _library():
        raise FormatError(
            f"a text file cannot say that {library} wrote it: it would come back as a "
            f"{_library()} frame; convert it, or use .parquet"
        )
    if library == "polars":
        data.write_csv(stream, separator=separator)
    else:
        _dump_pandas(data, stream, separator)


def _library() -> str:
    return "pandas" if find_spec("pandas") or not find_spec("polars") else "polars"


def _dump_pandas(frame: PandasFrame, stream: BinaryIO, separator: str) -> None:
    if frame.columns.nlevels > 1:
        raise FormatError("a text file has one line of column names, not several")
    numbered = frames_equal.is_numbered(frame)
    stream.write(_header(frame, separator, index=not numbered).encode())
    for start in range(0, len(frame), _ROWS):
        rows = frame.iloc[start : start + _ROWS]
        rows = rows if numbered else rows.reset_index(allow_duplicates=True)
        rows = _with_text_of_times(rows)
        content = _plain_rows(rows, separator)
        if content is None:
            text = rows.to_csv(sep=separator, header=False, index=False, lineterminator="\n")
            content = text.encode()
        stream.write(content)


def _plain_rows(rows: PandasFrame, separator: str) -> bytes | None:
    """Write rows of numbers and plain text with Arrow, ten times faster; None for other rows."""
    # A row of one empty cell needs quotes, as readers skip empty lines.
    if not find_spec("pyarrow") or rows.shape[1] < 2:
        return None
    arrow, csv = require("pyarrow", "for tables"), require("pyarrow.csv", "for text files")
    options = csv.WriteOptions(include_header=False, delimiter=separator, quoting_style="none")
    sink = arrow.BufferOutputStream()
    try:
        columns = [_plain_column(rows.iloc[:, i]) for i in range(rows.shape[1])]
        table = arrow.table(columns, names=[str(i) for i in range(len(columns))])
        csv.write_csv(table, sink, options)
    except (arrow.ArrowException, UnicodeEncodeError):
        # A cell needs quotes, or is not text.
        return None
    return bytes(sink.getvalue())


def _plain_column(values: PandasSeries) -> ArrowArray:
    """Return the text of a column as pandas writes it, except large and small exponents."""
    arrow = require("pyarrow", "for tables")
    compute = require("pyarrow.compute", "for tables")
    if values.dtype == "float64":
        text = arrow.array(values.to_numpy(), from_pandas=True).cast(arrow.string())
        whole = compute.match_substring_regex(text, "^-?[0-9]+$")
        return compute.if_else(whole, compute.binary_join_element_wise(text, ".0", ""), text)
    types = require("pandas.api.types", "for data frames")
    if types.infer_dtype(values, skipna=True) in {"string", "empty"}:
        return arrow.array(values, type=arrow.string(), from_pandas=True)
    if types.is_integer_dtype(values) and not types.is_extension_array_dtype(values):
        return arrow.array(values.to_numpy())
    raise arrow.ArrowTypeError("pandas has to write it")


def _header(frame: PandasFrame, separator: str, *, index: bool) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\n").writerow(frame.columns)
    names = frame.index.names if index else []
    quoted = [str("" if name is None else name).replace('"', '""') for name in names]
    return "".join(f'"{name}"{separator}' for name in quoted) + line.getvalue()


def _with_text_of_times(rows: PandasFrame) -> PandasFrame:
    """Return rows with times as text that has a `T` between date and time."""
    numpy = require("numpy", "to write times")
    copied = rows.copy(deep=False)
    for i, dtype in enumerate(rows.dtypes):
        # Times with a zone are left to pandas: text cannot name the zone.
        if dtype.kind != "M" or getattr(dtype, "tz", None) is not None:
            continue
        values = rows.iloc[:, i]
        whole = (values.dt.microsecond.fillna(0) == 0).all()
        text = numpy.datetime_as_string(values.to_numpy(), unit="s" if whole else "us")
        copied.isetitem(i, numpy.where(values.isna(), None, text.astype(object)))
    return copied


def _load(stream: BinaryIO, *, separator: str) -> Frame:
    if _library() == "polars":
        return require("polars", "to read text files").read_csv(stream, separator=separator)
    pandas = require("pandas", "to read text files")
    # From 3.1 on pandas reads numbers exactly by default, and warns about the setting.
    release = tuple(int(part) for part in pandas.__version__.split(".")[:2])
    exact_numbers = {"float_precision": "round_trip"} if release < (3, 1) else {}
    names = _index_names(stream.readline().decode(), separator)
    stream.seek(0)
    frame = pandas.read_csv(
        stream,
        sep=separator,
        low_memory=False,
        keep_default_na=False,
        na_values=[""],
        **exact_numbers,
    )
    for name in frame.columns[frame.dtypes.map(lambda dtype: dtype.kind == "O")]:
        frame[name] = _with_times(frame[name])
    if names:
        frame = frame.set_index(list(frame.columns[: len(names)])).rename_axis(index=names)
    return frame


def _index_names(header: str, separator: str) -> list[str | None]:
    """Return the names of the leading columns in quotes, which are those of an index."""
    names: list[str | None] = []
    quoted = re.compile(f"({_QUOTED}){separator}")
    rest = header
    while found := quoted.match(rest):
        names.append(found[1][1:-1].replace('""', '"') or None)
        rest = rest[found.end() :]
    # Other programs put all names in quotes, without meaning an index.
    return [] if rest.startswith('"') else names


def _with_times(values: PandasSeries) -> PandasSeries:
    """Parse a column of text that holds only times; return any other column unchanged."""
    first = values.first_valid_index()
    if first is None or _TIME.fullmatch(str(values[first])) is None:
        return values
    try:
        return require("pandas", "to read text files").to_datetime(
            values, format="ISO8601", cache=False
        )
    except ValueError:
        # There is other text further down.
        return values


def _verify(data: Frame, stream: BinaryIO, *, separator: str) -> None:
    try:
        frames_equal.check(data, _load(stream, separator=separator))
    except FormatError as error:
        raise FormatError(f"{error} (.parquet keeps the types of columns)") from error


def _format(suffix: str, separator: str) -> Format:
    return Format(
        suffix,
        partial(_dump, separator=separator),
        partial(_load, separator=separator),
        partial(_verify, separator=separator),
    )


CSV = _format(".csv", ",")
TSV = _format(".tsv", "\t")

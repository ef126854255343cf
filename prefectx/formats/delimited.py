"""Data frames in text files: `.csv` and `.tsv`.

The file is what pandas writes. What its text cannot say, as the types of columns, is returned when
it is written, to be kept beside it; columns that every reader takes for what they are need nothing.
Such a file does not name the library that wrote it: pandas reads it, or polars if pandas is not
installed. One file, longer than others, as writing and reading must agree.
"""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from prefectx.formats import columns, frames_equal
from prefectx.formats.base import Format, FormatError, Typed
from prefectx.formats.flat_frames import assemble, flatten, is_plain, naming
from prefectx.formats.frames import library_of
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.columns import Description
    from prefectx.formats.library_types import (
        ArrowArray,
        Frame,
        PandasArray,
        PandasFrame,
        PandasSeries,
    )
    from prefectx.formats.values import Json

_PURPOSE = "for text files"
# How many rows are converted to text at once, as text takes more memory than the frame.
_ROWS = 100_000
# What a reader takes for missing: pandas' list, and what other releases of it add.
_MISSING_TEXTS = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]


class _Written(NamedTuple):
    """A column as it is written, and its description; None if a reader knows without."""

    values: PandasSeries
    description: Description | None


def _dump(data: Frame, stream: BinaryIO, *, separator: str) -> bytes | None:
    library = library_of(data)
    if library != _library():
        raise FormatError(
            f"a text file cannot say that {library} wrote it: it would come back as a "
            f"{_library()} frame; convert it, or use .parquet"
        )
    if library == "polars":
        data.write_csv(stream, separator=separator)
        return None
    return _dump_pandas(data, stream, separator)


def _library() -> str:
    return "pandas" if find_spec("pandas") or not find_spec("polars") else "polars"


def _dump_pandas(frame: PandasFrame, stream: BinaryIO, separator: str) -> bytes | None:
    """Write a frame and return the types that its text does not tell, None if it tells all."""
    pandas = require("pandas", _PURPOSE)
    flat = flatten(frame)
    written = []
    for column, part in zip(flat.columns, flat.parts, strict=True):
        with naming(part):
            written.append(_written(column))
    line = io.StringIO()
    writer = csv.writer(line, delimiter=separator, lineterminator="\n")
    if any("\r" in name for name in flat.names):
        writer = csv.writer(line, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(flat.names)
    stream.write(line.getvalue().encode(errors="replace"))
    rows = pandas.DataFrame(dict(enumerate(column.values for column in written)))
    for start in range(0, len(rows), _ROWS):
        part_of_rows = rows.iloc[start : start + _ROWS]
        content = _plain_rows(part_of_rows, separator)
        if content is None:
            content = _odd_rows(part_of_rows, separator)
        stream.write(content)
    descriptions = [column.description for column in written]
    if is_plain(flat) and not any(descriptions):
        return None
    types = {
        "scheme": 1,
        "rows": len(frame),
        "names": flat.names,
        "frame": flat.description,
        "columns": descriptions,
    }
    return json.dumps(types).encode()


def _written(column: PandasSeries) -> _Written:
    if len(column) and (column.dtype in ("int64", "float64", "bool") or _is_clear_text(column)):
        return _Written(column, None)
    cells, description = columns.to_texts(column)
    if _is_number(description):
        return _Written(column, description)
    empty: list[Json] = [i for i, cell in enumerate(cells) if cell == ""]
    if empty:
        # A reader cannot tell empty text from missing.
        description["empty"] = True if None not in cells else empty
    texts = require("pandas", _PURPOSE).Series(list(cells), dtype=object)
    return _Written(texts, description)


def _is_number(description: Description) -> bool:
    """Tell whether a reader finds the numbers of a column, and only their width is missing."""
    return set(description) == {"dtype"} and str(description["dtype"])[1:] in _NUMBERS


_NUMBERS = {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "b1"}


def _is_clear_text(column: PandasSeries) -> bool:
    """Tell whether every reader takes a column for text, and no cell of it for missing."""
    pandas = require("pandas", _PURPOSE)
    as_read = pandas.Series(["a"]).dtype
    if column.dtype != as_read or getattr(column.dtype, "storage", "") != getattr(
        as_read, "storage", ""
    ):
        return False
    cells = column.to_numpy(dtype=object).tolist()
    in_objects = as_read == "object"  # pandas 2
    if in_objects and not all(type(c) is str or (type(c) is float and c != c) for c in cells):
        return False
    if column.isin(_MISSING_TEXTS).any():
        return False
    # Readers stop at a zero byte, and skip blank lines.
    if any("\0" in cell or cell.isspace() for cell in cells if type(cell) is str):
        return False
    return any(type(cell) is str and _is_word(cell) for cell in cells)


def _is_word(cell: str) -> bool:
    if cell.strip().casefold() in ("true", "false"):
        return False
    try:
        float(cell)
    except ValueError:
        # Readers may take less than Python for a number, and some of its beginnings.
        return any(character.isalpha() and character not in "eEjJxX" for character in cell) or (
            len(cell) > 4 and cell.count("-") + cell.count(":") + cell.count("/") > 1
        )
    return False


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


def _odd_rows(rows: PandasFrame, separator: str) -> bytes:
    options = {"sep": separator, "header": False, "index": False, "lineterminator": "\n"}
    text: str = rows.to_csv(**options)
    if "\r" in text:
        # pandas does not quote it, and takes it for the end of a line.
        text = rows.to_csv(**options, quoting=csv.QUOTE_NONNUMERIC)
    return text.encode()


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


def _load(stream: BinaryIO, *, separator: str) -> Frame:
    """Read a file as pandas reads it, or polars."""
    if _library() == "polars":
        return require("polars", "to read text files").read_csv(stream, separator=separator)
    return _read(stream, separator)


def _read(stream: BinaryIO, separator: str, **options: object) -> PandasFrame:
    pandas = require("pandas", "to read text files")
    # From 3.1 on pandas reads numbers exactly by default, and warns about the setting.
    release = tuple(int(part) for part in pandas.__version__.split(".")[:2])
    exact_numbers = {"float_precision": "round_trip"} if release < (3, 1) else {}
    return pandas.read_csv(stream, sep=separator, low_memory=False, **exact_numbers, **options)


def _load_typed(stream: BinaryIO, content: bytes, fits: bool, *, separator: str) -> Frame:
    types = json.loads(content)
    if not fits:
        return _load_edited(stream, types, separator)
    kept, rows = cast("list[Description | None]", types["columns"]), cast("int", types["rows"])
    if not kept:
        return assemble([], [], rows, types["frame"])
    texts = {i for i, d in enumerate(kept) if d is not None and not _is_number(d)}
    read = _read(
        stream,
        separator,
        header=0,
        names=list(range(len(kept))),
        index_col=False,
        skip_blank_lines=False,
        dtype=dict.fromkeys(texts, object),
        keep_default_na=False,
        na_values={i: [""] for i in range(len(kept)) if i not in texts},
    )
    if len(read) != rows:
        raise ValueError(f"the file has {len(read)} rows, its types are of {rows}")
    arrays = [_restored(read[i], description) for i, description in enumerate(kept)]
    return assemble(arrays, types["names"], rows, types["frame"])


def _restored(column: PandasSeries, description: Description | None) -> PandasArray:
    if description is None:
        return column.array
    if _is_number(description):
        return column.to_numpy().astype(cast("str", description["dtype"]))
    cells = column.tolist()
    empty = description.get("empty", [])
    if empty is not True:
        texts = set(cast("list[int]", empty))
        cells = [None if cell == "" and i not in texts else cell for i, cell in enumerate(cells)]
    return columns.from_texts(cells, description)


def _load_edited(stream: BinaryIO, types: dict[str, object], separator: str) -> PandasFrame:
    """Read a file that was changed after it was saved: the types that fit apply."""
    pandas = require("pandas", "to read text files")
    frame = _read(stream, separator)
    stream.seek(0)
    texts = _read(stream, separator, dtype=object, keep_default_na=False)
    names, kept = cast("list[str]", types["names"]), cast("list[Description]", types["columns"])
    known = dict(zip(names, kept, strict=True))
    arrays = []
    for name in frame.columns:
        array = frame[name].array
        if known.get(name) is not None:
            # Text that is no value of the type: the column is what pandas reads.
            with _ignoring_misfits():
                array = _edited(texts[name], known[name])
        arrays.append(array)
    with _ignoring_misfits():
        if list(frame.columns) == names:
            return assemble(arrays, names, len(frame), cast("Description", types["frame"]))
    made = {i: pandas.Series(a, dtype=a.dtype, copy=False) for i, a in enumerate(arrays)}
    return pandas.DataFrame(made, index=frame.index).set_axis(frame.columns, axis=1)


class _ignoring_misfits:  # noqa: N801  # used like a function
    """Lets a block end early where types do not fit the file."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, cls: object, error: BaseException | None, traceback: object) -> bool:
        return isinstance(error, ValueError | KeyError | TypeError | ArithmeticError | IndexError)


def _edited(column: PandasSeries, description: Description) -> PandasArray:
    if "objects" in description:
        runs = cast("list[tuple[str, int]]", description["objects"])
        missing = [kind for kind, _ in runs if kind in columns.MISSING_KINDS]
        kinds = {kind for kind, _ in runs} - columns.MISSING_KINDS
        if len(kinds) == 1:
            (kind,) = kinds
            none = (missing or ["none"])[0]
            description = {**description, "objects": [[kind if c else none, 1] for c in column]}
    return _restored(column, {**description, "empty": description.get("empty") is True or []})


def _verify(data: Frame, stream: BinaryIO, *, separator: str) -> None:
    try:
        frames_equal.check(data, _load(stream, separator=separator))
    except FormatError as error:
        raise FormatError(f"{error} (.parquet keeps the types of columns)") from error


def _verify_typed(data: Frame, stream: BinaryIO, types: bytes | None, *, separator: str) -> None:
    if types is None:
        _verify(data, stream, separator=separator)
    else:
        frames_equal.check(data, _load_typed(stream, types, True, separator=separator))


def _format(suffix: str, separator: str) -> Format:
    return Format(
        suffix,
        partial(_dump, separator=separator),
        partial(_load, separator=separator),
        partial(_verify, separator=separator),
        typed=Typed(
            partial(_dump, separator=separator),
            partial(_load_typed, separator=separator),
            partial(_verify_typed, separator=separator),
        ),
    )


CSV = _format(".csv", ",")
TSV = _format(".tsv", "\t")

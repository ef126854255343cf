"""pandas frames as a flat list of columns, and a description of all else that they are.

What comes first are the levels of the index, unless it only numbers the rows.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, cast

from prefectx.formats import columns, values
from prefectx.formats.base import FormatError
from prefectx.imports import require

if TYPE_CHECKING:
    from prefectx.formats.columns import Description
    from prefectx.formats.library_types import PandasArray, PandasFrame, PandasIndex, PandasSeries
    from prefectx.formats.values import Json

_PURPOSE = "for data frames"


class Flat(NamedTuple):
    """The columns of a frame.

    Attributes:
        names: a unique name for each column.
        columns: levels of the index, then columns, each numbered from 0.
        parts: what each of them is in the frame, for messages.
        description: the index, the columns' labels, attributes and flags.
    """

    names: list[str]
    columns: list[PandasSeries]
    parts: list[str]
    description: Description


def flatten(frame: PandasFrame) -> Flat:
    """Return the columns of a frame, and the description that `assemble` needs.

    Raises:
        FormatError: its labels, names, attributes or frequency cannot be kept.
    """
    pandas = require("pandas", _PURPOSE)
    levels, index = _describe_index(frame.index)
    description: Description = {"index": index}
    # Columns keep their names before levels of the index.
    labels = [_label(name) for name in frame.columns]
    unique = _unique([*labels, *(_label(name) for name in frame.index.names[: len(levels)])])
    with naming("columns"):
        if not _is_plain(frame.columns):
            description["columns"] = columns.encode_index(frame.columns)
    with naming("attrs"):
        if frame.attrs:
            description["attrs"] = values.encode(frame.attrs)
    if not frame.flags.allows_duplicate_labels:
        description["flags"] = {"allows_duplicate_labels": False}
    found = [*levels, *(frame.iloc[:, i] for i in range(frame.shape[1]))]
    names = [*unique[len(labels) :], *unique[: len(labels)]]
    parts = [f"index level {name!r}" for name in frame.index.names[: len(levels)]]
    parts += [f"column {name!r}" for name in frame.columns]
    numbered = [pandas.Series(part.array, dtype=part.dtype, copy=False) for part in found]
    return Flat(names, numbered, parts, description)


class naming:  # noqa: N801  # used like a function
    """Names the part of a frame in the errors that come from a block."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __enter__(self) -> None:
        pass

    def __exit__(self, cls: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FormatError):
            raise FormatError(f"{self._part}: {error}") from error


def is_plain(flat: Flat) -> bool:
    """Tell whether names and columns say all: no index, no labels but unique text, nothing else."""
    return flat.description == {"index": {"range": [0, None, 1]}}


def _is_plain(labels: PandasIndex) -> bool:
    # As readers give it, in pandas 2 as objects.
    return (
        type(labels) is type(require("pandas", _PURPOSE).Index([""]))
        and labels.dtype == require("pandas", _PURPOSE).Index([""]).dtype
        and labels.name is None
        and labels.is_unique
        and len(labels) > 0
        and all(type(label) is str and label and label.isprintable() for label in labels)
    )


def _describe_index(index: PandasIndex) -> tuple[list[PandasIndex], Description]:
    pandas = require("pandas", _PURPOSE)
    with naming("index names"):
        names: Json = [values.encode(name) for name in index.names]
    if isinstance(index, pandas.RangeIndex):
        if index.name is None and index.start == 0 and index.step == 1:
            return [], {"range": [0, None, 1]}
        return [index], {"range": [index.start, index.stop, index.step], "names": names}
    with naming("index"):
        if not isinstance(index, pandas.MultiIndex):
            return [index], {"levels": 1, "names": names, **columns.frequency(index)}
        levels = [index.get_level_values(i) for i in range(index.nlevels)]
        kept = pandas.MultiIndex.from_arrays(levels)
        if all(
            one.dtype == other.dtype for one, other in zip(kept.levels, index.levels, strict=True)
        ):
            return levels, {"levels": len(levels), "names": names, "multi": True}
        # Levels of numbers with gaps are wider as columns.
        return levels, {"levels": len(levels), "names": names, "whole": columns.encode_index(index)}


def assemble(
    arrays: list[PandasArray], names: list[str], rows: int, description: Description
) -> PandasFrame:
    """Return the frame that was flattened.

    Parameters:
        arrays: its columns, levels of the index first.
        names: their unique names.
        rows: how many rows there are.
        description: what `flatten` returned.
    """
    pandas = require("pandas", _PURPOSE)
    index, count = _make_index(arrays, rows, cast("Description", description["index"]))
    made = {i: pandas.Series(a, dtype=a.dtype, copy=False) for i, a in enumerate(arrays[count:])}
    frame = pandas.DataFrame(made, index=pandas.RangeIndex(rows))
    frame.index = index
    if "columns" in description:
        frame.columns = columns.decode_index(cast("Description", description["columns"]))
    else:
        frame.columns = pandas.Index(names[count:])
    if "attrs" in description:
        frame.attrs = values.decode(description["attrs"])
    if "flags" in description:
        frame = frame.set_flags(**cast("dict[str, bool]", description["flags"]))
    return frame


def _make_index(
    arrays: list[PandasArray], rows: int, description: Description
) -> tuple[PandasIndex, int]:
    """Return the index, and how many columns it was."""
    pandas = require("pandas", _PURPOSE)
    if "range" in description:
        if cast("list[int | None]", description["range"])[1] is None:
            return pandas.RangeIndex(rows), 0
        return columns.decode_index(description), 1
    count = cast("int", description["levels"])
    if "whole" in description:
        return columns.decode_index(cast("Description", description["whole"])), count
    names = [values.decode(name) for name in cast("list[Json]", description["names"])]
    if "multi" in description:
        parts = [pandas.Index(array, dtype=array.dtype) for array in arrays[:count]]
        return pandas.MultiIndex.from_arrays(parts, names=names), count
    return columns.make_index(arrays[0], names[0], description), count


def _label(name: object) -> str:
    """Return the name of a column for people; levels are joined by dots."""
    if isinstance(name, tuple):
        return ".".join(filter(None, map(_label, name)))
    return "" if name is None else str(name)


def _unique(names: list[str]) -> list[str]:
    counts = Counter(names)
    taken = set(names)
    found = []
    for i, name in enumerate(names):
        # Two columns must not differ in nothing but their place.
        if counts[name] > 1 and name in names[:i]:
            number = 1
            while f"{name}.{number}" in taken:
                number += 1
            name = f"{name}.{number}"
            taken.add(name)
        found.append(name)
    return found

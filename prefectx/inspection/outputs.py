"""The outputs of a project as a table: chosen by task, field or state."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from prefectx.inspection.output import Output
from prefectx.inspection.project import Project

COLUMNS = ("location", "task", "status", "size", "saved", "seconds")
_SHOWN = 20


class Outputs(Sequence[Output]):
    """Outputs; in a notebook a table.

    Parameters:
        found: the outputs.
    """

    def __init__(self, found: Sequence[Output]) -> None:
        self._found = found

    @overload
    def __getitem__(self, index: int) -> Output: ...
    @overload
    def __getitem__(self, index: slice) -> Outputs: ...
    def __getitem__(self, index: int | slice) -> Output | Outputs:
        if isinstance(index, slice):
            return Outputs(self._found[index])
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<{len(self):,} outputs>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return what is known of each as plain data."""
        return [output.to_dict() for output in self]

    def to_pandas(self) -> Any:
        """Return them as a data frame, with a column for each argument."""
        from prefectx.imports import require

        pandas = require("pandas", "to_pandas()")
        rows = [{**{c: row[c] for c in COLUMNS}, **row["arguments"]} for row in self.to_dicts()]
        return pandas.DataFrame(rows)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(row[c]))}</td>" for c in COLUMNS) + "</tr>"
            for row in self[:_SHOWN].to_dicts()
        )
        left = len(self) - _SHOWN
        more = f"<p>and {left:,} more</p>" if left > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def chosen(
    project: Project,
    task: str | None = None,
    *,
    where: Mapping[str, str] | None = None,
    stale: bool = False,
    failed: bool = False,
    missing: bool = False,
) -> Iterator[Output]:
    """Yield the outputs that are asked for, as they are found.

    Parameters:
        project: the project.
        task: the name of a task.
        where: values of fields of the target: `{"year": "2023", "path.stem": "a"}`.
        stale: only those that are stale or edited.
        failed: only those whose call failed the last time.
        missing: only those that are not there.
    """
    failures = {failure.failed for failure, _ in project.failures(task)} if failed else set()
    for output in project.all(task):
        if where and not output.matches(where):
            continue
        if failed and output.record.location not in failures:
            continue
        if missing and output.exists:
            continue
        if stale and output.stale is None:
            continue
        yield output


def outputs(
    task: str | None = None,
    *,
    where: Mapping[str, object] | None = None,
    stale: bool = False,
    failed: bool = False,
    missing: bool = False,
) -> Outputs:
    """Return the outputs that the records of the project know, as a table.

    Parameters:
        task: only those of this task.
        where: values of fields of the target: `{"year": 2023}`.
        stale: only those that are stale or edited.
        failed: only those whose call failed the last time.
        missing: only those that are not there any more.
    """
    wanted = {name: str(value) for name, value in (where or {}).items()}
    found = chosen(Project(), task, where=wanted, stale=stale, failed=failed, missing=missing)
    return Outputs(list(found))

"""Output of the commands: for people, or as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated, TextIO

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prefectx.settings import Problem, mask

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs.")]

_WIDE = 200
"""Width of the output in logs and pipes, where no terminal limits it."""


def output() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def errors() -> Console:
    """Return the console for errors."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    width = None if file.isatty() else _WIDE
    return Console(file=file, width=width, highlight=False)


def print_json(value: object) -> None:
    """Print a value as JSON; objects that JSON cannot write are printed as their repr."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=repr))


def print_rows(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table without borders."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output().print(table)


def print_problems(problems: Iterable[Problem]) -> None:
    """Print mistakes, each with its line and the wrong part underlined."""
    console = errors()
    for problem in problems:
        place = problem.place
        console.print(Text.assemble((f"{place.name}  ", "bold"), (problem.key, "cyan")))
        console.print(Text(f"  {problem.message}", style="red"), soft_wrap=True)
        if place.line:
            before, shown = mask(place.line[: place.start]), mask(place.line).expandtabs(1)
            mark = "^" * max(min(place.end, len(shown)) - place.start, 1)
            console.print(Text(f"  {place.row} | {shown}"))
            console.print(Text(f"  {' ' * len(str(place.row))} | {' ' * len(before)}{mark}"))


def as_json(problem: Problem) -> dict[str, object]:
    """Return a mistake as JSON for programs."""
    place = problem.place
    return {
        "where": place.name,
        "row": place.row or None,
        "column": place.start + 1 if place.row else None,
        "key": problem.key,
        "message": problem.message,
        "line": mask(place.line),
    }

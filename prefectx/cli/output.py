"""What the commands print: for people, or as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prefectx.errors import ConfigError
from prefectx.settings.problems import Problem
from prefectx.settings.secrets import mask

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs.")]

_WIDE = 200
"""Columns where no terminal sets a limit, so that nothing is cut in a log or a pipe."""


def output() -> Console:
    """Return the console for what was asked for."""
    return _console(sys.stdout)


def errors() -> Console:
    """Return the console for what went wrong."""
    return _console(sys.stderr)


def _console(file: Any) -> Console:
    width = None if file.isatty() else _WIDE
    return Console(file=file, width=width, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON; what JSON does not know is printed as its repr."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=repr))


def print_rows(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table without lines around its cells."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    output().print(table)


def print_problems(error: ConfigError) -> None:
    """Print the mistakes that an error has collected, each with its line underlined."""
    if not error.problems:
        errors().print(str(error), markup=False)
    for problem in error.problems:
        _print_problem(problem)


def _print_problem(problem: Problem) -> None:
    console = errors()
    console.print(Text.assemble((f"{problem.place.name}  ", "bold"), (problem.key, "cyan")))
    console.print(Text(f"  {problem.message}", style="red"), soft_wrap=True)
    if line := problem.place.line:
        before = mask(line[: problem.place.start])
        shown = mask(line).expandtabs(1)
        length = min(problem.place.end, len(shown)) - problem.place.start
        number = str(problem.place.row)
        console.print(Text(f"  {number} | {shown}"))
        console.print(Text(f"  {' ' * len(number)} | {' ' * len(before)}{'^' * max(length, 1)}"))


def as_json(problem: Problem) -> dict[str, Any]:
    """Return a mistake for programs."""
    place = problem.place
    return {
        "where": place.name,
        "row": place.row or None,
        "column": place.start + 1 if place.row else None,
        "key": problem.key,
        "message": problem.message,
        "line": mask(place.line),
    }

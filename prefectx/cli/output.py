"""Output of the commands: for people, or as JSON for programs."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from itertools import chain, islice
from typing import IO, Annotated, TextIO

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prefectx.monitoring.words import in_bytes as in_bytes
from prefectx.settings import Problem, mask

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for programs.")]

_WIDE = 1_000_000
"""Width of the output in logs and pipes, where no terminal limits it."""


def output() -> Console:
    """Return the console for results."""
    return _console(sys.stdout)


def errors() -> Console:
    """Return the console for errors."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    width = None if file.isatty() else _WIDE
    return Console(file=file, width=width, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """Print a value as JSON; objects that JSON cannot write are printed as text."""
    print(json.dumps(_in_json(value), indent=2, ensure_ascii=False))


def _in_json(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _in_json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_in_json(part) for part in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON has neither NaN nor infinity
    if isinstance(value, date | time):
        return value.isoformat()
    return repr(value)


def print_json_stream(values: Iterable[object]) -> None:
    """Print values as a JSON list, one on each line, as they come."""
    sys.stdout.write("[")
    for number, value in enumerate(values):
        text = json.dumps(_in_json(value), ensure_ascii=False)
        sys.stdout.write(f"{',' if number else ''}\n  {text}")
    sys.stdout.write("\n]\n")


# A longer line of a file is cut.
_WIDEST = 200


def print_rows(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table without borders; the cells of the first column are not broken."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
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
            shown = shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}…"
            mark = "^" * max(min(place.end, len(shown)) - place.start, 1)
            console.print(Text(f"  {place.row} | {shown}"))
            console.print(Text(f"  {' ' * len(str(place.row))} | {' ' * len(before)}{mark}"))


def as_json(problem: Problem) -> dict[str, object]:
    """Return a mistake as JSON for programs."""
    place = problem.place
    return {
        "where": place.name,
        "row": place.row or None,
        "column": place.start + 1 if place.line else None,
        "key": problem.key,
        "message": problem.message,
        "line": mask(place.line),
    }


def print_for_github(problems: Iterable[Problem], kind: str = "error") -> None:
    """Print mistakes as commands that GitHub Actions shows beside the lines of a change."""
    for problem in problems:
        place = problem.place
        properties = {
            "file": place.file,
            "line": place.row,
            "col": place.start + 1 if place.line else 0,
            "title": problem.key or ("" if place.file else place.name),
        }
        given = ",".join(f"{name}={_escaped(value)}" for name, value in properties.items() if value)
        message = _escaped(problem.message, in_property=False)
        print(f"::{kind} {given}::{message}" if given else f"::{kind}::{message}")


def _escaped(value: object, *, in_property: bool = True) -> str:
    text = str(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


_FIRST = 200
"""So many rows tell how wide the columns are; further ones are printed as they come."""


def print_stream(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Print a table row by row, in bounded memory; on a terminal a long one in a pager.

    Parameters:
        columns: the names of the columns.
        rows: the cells of each row.

    Returns:
        The number of rows.
    """
    waiting = iter(rows)
    first = list(islice(waiting, _FIRST))
    if not first:
        return 0
    widths = [max(map(len, cells)) for cells in zip(columns, *first, strict=True)]
    count = 0
    with _paged(len(first)) as out:
        for row in chain([columns], first, waiting):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            out.write("  ".join(cells).rstrip() + "\n")
            count += 1
    return count - 1


@contextmanager
def _paged(rows: int) -> Iterator[IO[str]]:
    """Give where to print: a pager for what does not fit on a terminal."""
    pager = shutil.which("less") if "PAGER" not in os.environ else os.environ["PAGER"]
    if not sys.stdout.isatty() or not pager or rows < shutil.get_terminal_size().lines - 2:
        yield sys.stdout
        return
    environment = {"LESS": "FRSX", **os.environ}
    process = subprocess.Popen(pager, shell=True, stdin=subprocess.PIPE, text=True, env=environment)
    assert process.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin:  # it was left before the end
            yield process.stdin
    finally:
        process.wait()


def in_age(when: datetime) -> str:
    """Format how long ago something was: `12 s`, `3 min`, `2 h`, `5 d`."""
    seconds = max((datetime.now(UTC) - when).total_seconds(), 0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def print_diff(line: str) -> None:
    """Print a line; those of a diff in colours."""
    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    output().print(Text(line, style=style or ""), soft_wrap=True)


def asks(question: str, yes: bool) -> bool:
    """Ask for consent; without a terminal only `--yes` gives it.

    Parameters:
        question: the question.
        yes: whether it was given beforehand.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        errors().print("Nothing was done: answer with --yes where nobody can be asked.")
        return False
    return input(f"{question} [y/N] ").strip().casefold() in ("y", "yes")

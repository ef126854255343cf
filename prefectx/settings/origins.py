"""Where a value was written: a file, the environment, the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from prefectx.settings.positions import Position, find_positions

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a reader can go to.

    Attributes:
        name: the file with its line and column, the variable, the decorator.
        row: the number of the line, counted from 1, or 0.
        line: the text of the line, or "".
        start: the column where the fault begins, counted from 0.
        end: the column behind it.
    """

    name: str
    row: int = 0
    line: str = field(default="", repr=False)  # may hold a secret
    start: int = 0
    end: int = 0


class Origin(Protocol):
    """What knows where the values of a layer were written."""

    def where(self, path: KeyPath) -> str:
        """Say where the value at `path` was written."""

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Give the place of the value at `path`, or of its `key`."""


@dataclass(frozen=True)
class CodeOrigin:
    """Something in the program: `override()`, `@task`."""

    name: str

    def where(self, path: KeyPath) -> str:
        """Return the name, whatever the path."""
        return self.name

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Return the name, whatever the path."""
        return Place(self.name)


@dataclass(frozen=True)
class EnvironmentOrigin:
    """Environment variables, by the path that each sets."""

    variables: Mapping[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """Return the name of the variable that sets the value at `path`."""
        for length in range(len(path), 0, -1):
            if (name := self.variables.get(path[:length])) is not None:
                return name
        inside = (name for key, name in self.variables.items() if key[: len(path)] == path)
        return next(inside, "the environment")

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Return the variable that sets the value at `path`."""
        return Place(self.where(path))


@dataclass(frozen=True)
class FileOrigin:
    """A TOML file, or the part of it below `prefix`."""

    path: Path
    text: str = field(repr=False)
    prefix: KeyPath = ()

    def where(self, path: KeyPath) -> str:
        """Return file and line of the key at `path`, or of the table around it."""
        position = self._find(path)
        return self.name if position is None else f"{self.name}:{self._row(position.key[0])}"

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Return file, line and column of the value at `path`, or of its `key`."""
        position = self._find(path)
        if position is None:
            return Place(self.name)
        return self.at(*(position.key if key else position.value))

    def at(self, start: int, end: int) -> Place:
        """Give the place of a span of the text, as far as it lies in one line."""
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        line = self.text[begin : stop if stop >= 0 else len(self.text)].rstrip("\r")
        column = start - begin
        row = self._row(start)
        name = f"{self.name}:{row}:{column + 1}"
        return Place(name, row, line, column, max(min(end - begin, len(line)), column + 1))

    @cached_property
    def name(self) -> str:
        """The file's path, short where it lies below the working directory."""
        return display(self.path)

    def _find(self, path: KeyPath) -> Position | None:
        """Return the position of `path`, else of the table around it."""
        path = self.prefix + path
        while path and path not in self._positions:
            path = path[:-1]
        return self._positions.get(path)

    def _row(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def _positions(self) -> dict[KeyPath, Position]:
        return find_positions(self.text)

    def __getstate__(self) -> dict[str, Any]:
        # Settings travel with calls; a worker needs the values, not the file's text.
        return {"path": self.path, "text": "", "prefix": self.prefix}


def display(path: Path) -> str:
    """Write a path, short where it lies below the working directory."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)

"""Where a value was written: a file, the environment, the code."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from prefectx.settings.messages.positions import KeyPath, Position, find_positions


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, the environment or the code, as messages name it.

    Attributes:
        name: the file with line and column, the variable, or the decorator.
        row: the line's number, from 1; 0 if there is no line.
        line: the line's text, or "".
        start: the column where the mistake begins, from 0.
        end: the column after it.
        file: the file's path as messages show it; "" if it is in no file.
    """

    name: str
    row: int = 0
    line: str = field(default="", repr=False)  # may hold secrets
    start: int = 0
    end: int = 0
    file: str = ""

    @classmethod
    def in_file(cls, path: Path, row: int = 0) -> Place:
        """Return a place in a file; a path below the working directory is shown relative to it."""
        with suppress(ValueError, OSError):
            path = path.relative_to(Path.cwd())
        return cls(f"{path}:{row}" if row else str(path), row, file=str(path))


class Origin(Protocol):
    """Knows where the values of a source were written."""

    def where(self, path: KeyPath) -> str:
        """Return where the value at `path` was written, for tables of settings."""

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Return the place of the value at `path`, or of its `key`, for mistakes."""


@dataclass(frozen=True)
class CodeOrigin:
    """A place in the program: `override()`, `@task`; and its line, if that is known."""

    name: str
    line: Place | None = None

    def where(self, path: KeyPath) -> str:
        """Return the name, whatever the path."""
        return self.name

    def place(self, path: KeyPath, *, key: bool) -> Place:
        """Return the line and the name, whatever the path."""
        if self.line is None:
            return Place(self.name)
        return Place(f"{self.line.name}: {self.name}", self.line.row, file=self.line.file)


@dataclass(frozen=True)
class EnvironmentOrigin:
    """Environment variables, by the path of the value that each sets."""

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
            return Place(self.name, file=self.name)
        return self.at(*(position.key if key else position.value))

    def at(self, start: int, end: int) -> Place:
        """Return the place of a span of the text, up to the end of its first line."""
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        line = self.text[begin : stop if stop >= 0 else len(self.text)].rstrip("\r")
        column = start - begin
        row = self._row(start)
        name = f"{self.name}:{row}:{column + 1}"
        end = max(min(end - begin, len(line)), column + 1)
        return Place(name, row, line, column, end, self.name)

    @cached_property
    def name(self) -> str:
        """The file's path as messages show it."""
        return Place.in_file(self.path).name

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

    def __getstate__(self) -> dict[str, object]:
        # Settings are pickled with calls; workers need the values, not the file's text.
        return {"path": self.path, "text": "", "prefix": self.prefix}

"""Finds the position of each key and value in a TOML file, which TOML parsers do not report."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

KeyPath = tuple[str | int, ...]
"""Keys and indices that lead to a value."""


class Position(NamedTuple):
    """Offsets of a key and its value in the text."""

    key: tuple[int, int]
    value: tuple[int, int]


_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_KEY = re.compile(r"""'[^'\n]*'|"(?:\\.|[^"\\\n])*"|[^\s.=\]"'#]+""")
_SCALAR = re.compile(
    r'''"{3}(?:\\.|[^\\])*?"{3,5}|'{3}.*?'{3,5}|'[^'\n]*'|"(?:\\.|[^"\\\n])*"'''
    r"""|[^\s,\]}#]+(?:[ ]\d\d:[^\s,\]}#]+)?""",
    re.DOTALL,
)


def find_positions(text: str) -> dict[KeyPath, Position]:
    """Return the last position of each key and list element.

    Parameters:
        text: valid TOML.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


class _Scanner:
    """Reads valid TOML for its positions only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, Position] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._peek():
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _peek(self) -> str:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else len(self.text)
        return match[0] if match else ""

    def _header(self) -> KeyPath:
        while self._peek() == "[":
            self.at += 1
        path = self._key(())
        while self._peek() == "]":
            self.at += 1
        return path

    def _key(self, path: KeyPath) -> KeyPath:
        while self._peek():
            start = self.at
            path = (*path, _unquoted(self._take(_KEY)))
            span = (start, self.at)
            self.found.setdefault(path, Position(span, span))
            if self._peek() != ".":
                break
            self.at += 1
        return path

    def _pair(self, table: KeyPath) -> None:
        path = self._key(table)
        self._peek()
        self.at += 1  # the equals sign
        span = self._value(path)
        self.found[path] = self.found[path]._replace(value=span)

    def _value(self, path: KeyPath) -> tuple[int, int]:
        mark, start = self._peek(), self.at
        if mark == "{":
            self._inside("}", path)
        elif mark == "[":
            self._inside("]", path)
        else:
            self._take(_SCALAR)
        return start, self.at

    def _inside(self, end: str, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while (mark := self._peek()) not in (end, ""):
            if mark == ",":
                self.at += 1
            elif end == "}":
                self._pair(path)
            else:
                span = self._value((*path, index))
                self.found[(*path, index)] = Position(span, span)
                index += 1
        self.at += 1


def _unquoted(key: str) -> str:
    if not key.startswith('"'):
        return key.strip("'")
    try:
        return str(json.loads(key))
    except ValueError:  # an escape that only TOML knows
        return key[1:-1]

"""The configuration file: prefectx.toml, or [tool.prefectx] in pyproject.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prefectx.settings.messages.origins import FileOrigin, Origin, Place
from prefectx.settings.messages.problems import Problem
from prefectx.settings.model import Configuration
from prefectx.settings.sources.checking import checked
from prefectx.settings.sources.layer import NOWHERE, Layers, Values, layers_of, tables

FILE_NAME = "prefectx.toml"
CONFIG = "PREFECTX_CONFIG"
"""The variable that names the configuration file."""

_PYPROJECT = "pyproject.toml"
_OWN_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?prefectx\b(?!-)", re.MULTILINE)


@dataclass(frozen=True)
class TomlFile:
    """A configuration file that was read.

    Attributes:
        path: the file, or None if there is none.
        raw: its tables as they were written.
        values: the same, checked; wrong values are left out.
        origin: knows where each value was written.
    """

    path: Path | None
    raw: Values
    values: Values
    origin: Origin

    @property
    def layers(self) -> Layers:
        """What the file sets outside its profiles."""
        return layers_of("file", self.values, self.origin)

    @property
    def profiles(self) -> dict[str, Layers]:
        """What each profile sets, by name."""
        return {
            name: layers_of("profile", values, self.origin, ("profiles", name))
            for name, values in tables(self.values, "profiles").items()
        }


def find_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the configuration file for `folder`.

    Parameters:
        environ: the environment; PREFECTX_CONFIG names a file.
        folder: where the search starts; it goes upward.

    Returns:
        The named file, even if it does not exist, else the first prefectx.toml or
        pyproject.toml with a table [tool.prefectx], else None.
    """
    if named := environ.get(CONFIG):
        # An unknown home stays as it is written: reading the file reports it.
        return folder / Path(os.path.expanduser(named))  # noqa: PTH111
    for parent in (folder, *folder.parents):
        if (parent / FILE_NAME).is_file():
            return parent / FILE_NAME
        if _has_table(parent / _PYPROJECT):
            return parent / _PYPROJECT
    return None


def _has_table(pyproject: Path) -> bool:
    try:
        text = pyproject.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return False
    if "prefectx" not in text:  # most often: then nothing needs to be parsed
        return False
    import tomli

    try:
        tool = tomli.loads(text).get("tool")
    except (ValueError, RecursionError):
        # Reading it reports the mistake, if it may be in a table of ours.
        return _OWN_TABLE.search(text) is not None
    return isinstance(tool, dict) and "prefectx" in tool


def read_file(path: Path | None, problems: list[Problem]) -> TomlFile:
    """Read and check a configuration file.

    Parameters:
        path: the file, or None if there is none.
        problems: receives the mistakes.
    """
    if path is None:
        return TomlFile(None, {}, {}, NOWHERE)
    in_pyproject = path.name == _PYPROJECT
    text = _read_text(path, problems)
    origin = FileOrigin(path, text, ("tool", "prefectx") if in_pyproject else ())
    raw = _parse(text, origin, problems)
    values = checked(Configuration, raw, origin, path.parent, problems)
    return TomlFile(path, raw if isinstance(raw, dict) else {}, values, origin)


def _read_text(path: Path, problems: list[Problem]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except FileNotFoundError:
        message = f"file not found; correct {CONFIG}, or unset it"
    except IsADirectoryError:
        message = f"is a folder; {CONFIG} must name a file, such as {path / FILE_NAME}"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    problems.append(Problem(Place.in_file(path), "", message))
    return ""


def _parse(text: str, origin: FileOrigin, problems: list[Problem]) -> object:
    import tomli  # late: only projects with a file need it

    try:
        values: object = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"not valid TOML: {error.msg}{_HINTS.get(error.msg, '')}"
        problems.append(Problem(origin.at(error.pos, error.pos), "", message))
        return {}
    except (RecursionError, ValueError) as error:  # nested too deep, or a number that is too long
        problems.append(Problem(Place(origin.name), "", f"cannot be read: {error}"))
        return {}
    for part in origin.prefix:
        values = values.get(part) if isinstance(values, dict) else None
    if values is None:
        message = "has no table [tool.prefectx]; add it, or name another file"
        problems.append(Problem(Place(origin.name), "", message))
    return values or {}


_HINTS = {
    "Invalid value": "; put text in quotes, write true and false in lower case",
    "Illegal character '\\n'": "; close the quotes",
    "Unescaped '\\' in a string": "; double it, or put the text in single quotes",
    "Expected '=' after a key in a key/value pair": "; write key = value",
    "Cannot overwrite a value": "; the key is already set",
}

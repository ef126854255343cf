"""Finding and reading the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefectx.settings.environment import CONFIG
from prefectx.settings.origins import FileOrigin, Place, display
from prefectx.settings.problems import Problem

FILE_NAME = "prefectx.toml"
_PYPROJECT = "pyproject.toml"


def find_file(environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the configuration file that counts in `folder`.

    Parameters:
        environ: the environment; PREFECTX_CONFIG names a file.
        folder: where the search goes upward from.

    Returns:
        The named file (there or not), else the first prefectx.toml or pyproject.toml with a
        table [tool.prefectx], else None.
    """
    if named := environ.get(CONFIG):
        return folder / Path(named).expanduser()
    for parent in (folder, *folder.parents):
        if (parent / FILE_NAME).is_file():
            return parent / FILE_NAME
        if _has_table(parent / _PYPROJECT):
            return parent / _PYPROJECT
    return None


def _has_table(pyproject: Path) -> bool:
    try:
        return "[tool.prefectx" in pyproject.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def read_file(path: Path, problems: list[Problem]) -> tuple[dict[str, Any], FileOrigin]:
    """Read a configuration file.

    Parameters:
        path: prefectx.toml, pyproject.toml, or a file of any other name.
        problems: receives what is wrong with it.

    Returns:
        The tables, not yet checked, and where they are from.
    """
    import tomli

    prefix = ("tool", "prefectx") if path.name == _PYPROJECT else ()
    text = _read_text(path, problems)
    origin = FileOrigin(path, text, prefix)
    try:
        values: Any = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"this is not TOML: {error.msg}{_HINTS.get(error.msg, '')}"
        problems.append(Problem(origin.at(error.pos, error.pos), "", message))
        return {}, origin
    for part in prefix:
        values = values.get(part) if isinstance(values, dict) else None
    if values is None:
        message = "has no table [tool.prefectx]; add it, or name another file"
        problems.append(Problem(Place(origin.name), "", message))
    return values or {}, origin


_HINTS = {
    "Invalid value": "; text stands in quotes, true and false in small letters",
    "Illegal character '\\n'": "; the quotes are not closed",
    "Unescaped '\\' in a string": "; write two, or single quotes around the text",
    "Expected '=' after a key in a key/value pair": "; write key = value",
    "Cannot overwrite a value": "; the key was there before",
}


def _read_text(path: Path, problems: list[Problem]) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except FileNotFoundError:
        message = f"there is no such file; correct {CONFIG}, or unset it"
    except IsADirectoryError:
        message = f"is a folder; {CONFIG} must name a file, such as {path / FILE_NAME}"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    problems.append(Problem(Place(display(path)), "", message))
    return ""

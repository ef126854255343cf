"""Where the configuration file is looked for, and what there looks like one but is none."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem

FILE_NAME = "prefectx.toml"
PYPROJECT = "pyproject.toml"
CONFIG = "PREFECTX_CONFIG"
"""The variable that names the configuration file."""

# What may be the name of our table: most files have none, and need not be parsed.
_ALIKE = re.compile(r"(?i)\bp[\w. -]{4,8}x")
_OWN_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?prefectx\b(?!-)", re.MULTILINE)


@dataclass(frozen=True)
class Named:
    """A value that the user chose, and by what: a variable or an option of the command line."""

    value: str
    by: str


def find_file(
    named: Named | None, folder: Path, program: Path | None, problems: list[Problem]
) -> Path | None:
    """Return the configuration file.

    Parameters:
        named: the file that the user named, if any.
        folder: the working directory, where the search starts; it goes upward.
        program: the folder of the program, where it goes on if nothing is found.
        problems: receives what looks like a configuration file, but is none.

    Returns:
        The named file, even if it does not exist, else the first prefectx.toml or
        pyproject.toml with a table [tool.prefectx], else None.
    """
    if named is not None:
        # An unknown home stays as it is written: reading the file reports it.
        return folder / Path(os.path.expanduser(named.value))  # noqa: PTH111
    for start in (folder, program):
        for parent in (start, *start.parents) if start else ():
            if (parent / FILE_NAME).is_file():
                return parent / FILE_NAME
            tables = _tools(parent / PYPROJECT)
            if "prefectx" in tables:
                return parent / PYPROJECT
            problems.extend(_lookalikes(parent, tables))
    return None


def program_folder() -> Path | None:
    """Return the folder of the user's program, None if an installed command runs."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if file is None:
        return None
    folder = Path(file).absolute().parent
    installed = {"site-packages", "dist-packages"} & set(folder.parts)
    is_command = installed or folder == Path(sys.executable).parent
    return None if is_command or not Path(file).is_file() else folder


def outranked(file: Path) -> Path | None:
    """Return the pyproject.toml with a table of ours that does not count, as `file` lies beside."""
    other = file.parent / PYPROJECT
    return other if file.name == FILE_NAME and "prefectx" in _tools(other) else None


def _tools(pyproject: Path) -> Mapping[str, object]:
    """Return the tables of [tool] in a file; of a broken file only ours, which reading reports."""
    try:
        text = pyproject.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    if not _ALIKE.search(text):
        return {}
    import tomli

    try:
        tool = tomli.loads(text).get("tool")
    except (ValueError, RecursionError):
        return {"prefectx": {}} if _OWN_TABLE.search(text) else {}
    return tool if isinstance(tool, dict) else {}


def _lookalikes(folder: Path, tables: Mapping[str, object]) -> Iterator[Problem]:
    file = folder / FILE_NAME
    if file.is_dir():
        yield Problem(Place.in_file(file), "", "is a folder; the configuration must be a file")
    elif file.is_symlink():
        message = f"is a link to {file.readlink()}, which does not exist"
        yield Problem(Place.in_file(file), "", message)
    hidden = folder / f".{FILE_NAME}"
    if hidden.is_file():
        message = f"is not read under this name; rename it to {FILE_NAME}"
        yield Problem(Place.in_file(hidden), "", message)
    for name in tables:
        if _is_misspelt(name):
            message = 'unknown table; did you mean "tool.prefectx"?'
            yield Problem(Place.in_file(folder / PYPROJECT), f"tool.{name}", message)


def _is_misspelt(name: str) -> bool:
    """Tell whether a name was meant to be prefectx; [tool.prefect] is Prefect's own."""
    plain = re.sub(r"[-_. ]", "", name.lower())
    return plain != "prefect" and SequenceMatcher(None, plain, "prefectx").ratio() >= 0.85

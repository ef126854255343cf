"""The configuration file, prefectx.toml or pyproject.toml, and the files that it extends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prefectx.settings.messages.origins import FileOrigin, Origin, Place
from prefectx.settings.messages.plain import in_plain_words
from prefectx.settings.messages.problems import Problem
from prefectx.settings.messages.spelling import show
from prefectx.settings.model import Configuration
from prefectx.settings.sources.checking import checked
from prefectx.settings.sources.finding import FILE_NAME, PYPROJECT
from prefectx.settings.sources.interpolation import Mistakes, interpolated
from prefectx.settings.sources.layer import Layers, Values, layers_of, tables
from prefectx.settings.values import parse_names


@dataclass(frozen=True)
class TomlFile:
    """A configuration file that was read.

    Attributes:
        path: the file.
        raw: its tables as they were written.
        values: the same, checked; wrong values are left out.
        origin: knows where each value was written.
        unset: what is wrong with values that were left out, as variables in them are not set.
    """

    path: Path
    raw: Values
    values: Values
    origin: Origin
    unset: Mistakes = field(default_factory=dict)

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


def read_files(
    path: Path | None, named_by: str, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[TomlFile, ...]:
    """Read and check a configuration file, and the files that it extends.

    Parameters:
        path: the file, or None if there is none.
        named_by: the variable or the option that names it, for mistakes; "" if it was found.
        environ: the environment.
        problems: receives the mistakes.

    Returns:
        The files from the weakest to the strongest, which is `path` itself.
    """
    if path is None:
        return ()
    reader = _Reader(environ, problems)
    try:
        reader.read(path, ())
    except _UnreadableError as error:
        hint = f"; correct {named_by}" if named_by else ""
        problems.append(Problem(Place.in_file(path), "", f"{error}{hint}"))
        return (TomlFile(path, {}, {}, FileOrigin(path, "")),)
    return tuple(reader.found)


class _UnreadableError(Exception):
    """A file has no text that can be read."""


class _Reader:
    """Reads a file after those that it extends, each once."""

    def __init__(self, environ: Mapping[str, str], problems: list[Problem]) -> None:
        self.found: list[TomlFile] = []
        self._environ = environ
        self._problems = problems
        self._seen: set[str] = set()

    def read(self, path: Path, readers: tuple[Path, ...]) -> None:
        """Read a file.

        Parameters:
            path: the file.
            readers: the files that extend it, one another.

        Raises:
            _UnreadableError: the file has no text.
        """
        self._seen.add(_real(path))
        text = _read_text(path)
        origin = FileOrigin(path, text, ("tool", "prefectx") if path.name == PYPROJECT else ())
        raw, unset = interpolated(_parse(text, origin, self._problems), self._environ)
        for base in _extended(raw):
            try:
                self._extend(path.parent / Path(base).expanduser(), (*readers, path))
            except (_UnreadableError, RuntimeError) as error:
                place = origin.place(("extends",), key=False)
                self._problems.append(Problem(place, "extends", f"{show(base)}: {error}"))
        values = checked(Configuration, raw, origin, path.parent, self._problems)
        tables = raw if isinstance(raw, dict) else {}
        self.found.append(TomlFile(path, tables, values, origin, unset))

    def _extend(self, base: Path, readers: tuple[Path, ...]) -> None:
        if _real(base) in map(_real, readers):
            raise _UnreadableError("the file extends itself, or is extended by what it extends")
        if _real(base) not in self._seen:
            self.read(base, readers)


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)  # unlike Path.resolve() also of a link to itself
    except ValueError:  # a NUL in its name, which reading it reports
        return str(path)


def _extended(raw: object) -> tuple[str, ...]:
    try:
        return parse_names(raw.get("extends")) or () if isinstance(raw, dict) else ()
    except ValueError:  # checking the values reports it
        return ()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (byte {error.start}); save it as UTF-8"
    except FileNotFoundError:
        reason = "file not found"
    except IsADirectoryError:
        reason = f"is a folder; name a file, such as {path / FILE_NAME}"
    except (OSError, ValueError) as error:  # also a name with a NUL
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise _UnreadableError(reason)


def _parse(text: str, origin: FileOrigin, problems: list[Problem]) -> object:
    import tomli  # late: only projects with a file need it

    try:
        values: object = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"not valid TOML: {in_plain_words(error.msg)}"
        problems.append(Problem(origin.at(error.pos, error.pos), "", message))
        return {}
    except RecursionError:
        problems.append(Problem(Place.in_file(origin.path), "", "tables are nested too deep"))
        return {}
    except ValueError:  # Python reads no longer ones
        problems.append(Problem(Place.in_file(origin.path), "", "a number has too many digits"))
        return {}
    for part in origin.prefix:
        values = values.get(part) if isinstance(values, dict) else None
    if values is None:
        message = "has no table [tool.prefectx]; add it, or name another file"
        problems.append(Problem(Place.in_file(origin.path), "", message))
    return values or {}

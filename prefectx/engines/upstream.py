"""Checks that a library still has the names that it may change without notice.

Each engine lists those that it uses in its own `upstream.py`, each with the reason.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from prefectx.errors import MissingDependencyError


class Entry(Protocol):
    """A name of a library that an engine uses; `str` gives the name."""

    @property
    def why(self) -> str:
        """The purpose."""

    def is_there(self) -> bool:
        """Whether the installed version has it."""


@dataclass(frozen=True)
class Name:
    """An attribute of a module, a method, or an attribute that a class declares or sets.

    Attributes:
        path: `package.module:name` or `package.module:Class.name`; the module is imported.
        why: the purpose.
    """

    path: str
    why: str

    def is_there(self) -> bool:
        """Whether the installed version has it."""
        module, _, qualname = self.path.partition(":")
        *owners, last = qualname.split(".")
        owner: object = importlib.import_module(module)
        for name in owners:
            owner = getattr(owner, name, None)
        return hasattr(owner, last) or (isinstance(owner, type) and _makes(owner, last))

    def __str__(self) -> str:
        return self.path.partition(":")[2]


@dataclass(frozen=True)
class Parameters:
    """Parameters of a function.

    Attributes:
        path: `package.module:function`; the module is imported.
        names: the parameters, separated by spaces.
        why: the purpose.
    """

    path: str
    names: str
    why: str

    def is_there(self) -> bool:
        """Whether the installed version has all of them."""
        module, _, name = self.path.partition(":")
        function = getattr(importlib.import_module(module), name, None)
        taken = inspect.signature(function).parameters if callable(function) else {}
        return all(name in taken for name in self.names.split())

    def __str__(self) -> str:
        return f"{self.path.partition(':')[2]}({', '.join(self.names.split())})"


@dataclass(frozen=True)
class Text:
    """Text in the source of a module that is too heavy to import for a check.

    Attributes:
        module: the full name of the module.
        text: a part of its source.
        why: the purpose.
    """

    module: str
    text: str
    why: str

    def is_there(self) -> bool:
        """Whether the installed version has it."""
        return self.text in self.source()

    def source(self) -> str:
        """Return the source of the module, an empty string if there is none."""
        top, _, rest = self.module.partition(".")
        spec = find_spec(top)
        if spec is None or spec.origin is None:
            return ""
        file = Path(spec.origin).parent.joinpath(*rest.split(".")).with_suffix(".py")
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def __str__(self) -> str:
        return f"{self.text!r} in {self.module}"


def require(library: str, seen_working: str, used: Iterable[Entry]) -> None:
    """Refuse a version of a library that lacks a name.

    Parameters:
        library: its name on the package index.
        seen_working: versions that have all names.
        used: the names.

    Raises:
        MissingDependencyError: it names the version, the missing names, and versions that work.
    """
    lacking = [str(entry) for entry in used if not entry.is_there()]
    if lacking:
        raise MissingDependencyError(
            f"{library} {importlib.metadata.version(library)} has no {', '.join(lacking)}, which"
            f" prefectx needs: install another version of {library} ({seen_working} work)"
        )


def _makes(owner: type, name: str) -> bool:
    """Tell whether a class, or a base of it, declares an attribute or sets it in `__init__`."""
    for base in owner.__mro__:
        code = getattr(vars(base).get("__init__"), "__code__", None)
        if name in inspect.get_annotations(base) or (code and name in code.co_names):
            return True
    return False

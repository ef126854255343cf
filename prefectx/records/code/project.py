"""The project: which modules belong to it, and what a name in one of them stands for."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116

from __future__ import annotations

import ast
import os
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NamedTuple

from prefectx.arguments.identity.names import INSTALLED, module_name, qualified_name
from prefectx.records.code.modules import Module, file_of, read
from prefectx.records.code.references import Chain
from prefectx.records.code.syntax import DEFINITIONS

_NEVER = frozenset({"prefectx", "prefect"})
_STDLIB = os.path.realpath(sysconfig.get_paths()["stdlib"]) + os.sep


class Symbol(NamedTuple):
    """A name that a module of the project binds."""

    module: Module
    name: str

    @property
    def label(self) -> str:
        """The symbol's name for people and records: `helpers.twice`."""
        return f"{self.module.name}.{self.name}"


class Project:
    """The modules that belong to the user's project.

    Parameters:
        packages: top-level packages that belong to it wherever they are installed.
    """

    def __init__(self, packages: Collection[str] = ()) -> None:
        self.packages = frozenset(packages)
        self._modules: dict[str, Module | None] = {}

    def module(self, loaded_as: str) -> Module | None:
        """Return a module of the project; None: it is none, or has no source."""
        if loaded_as not in self._modules:
            self._modules[loaded_as] = self._find(loaded_as)
        return self._modules[loaded_as]

    def _find(self, loaded_as: str) -> Module | None:
        path = file_of(sys.modules.get(loaded_as), loaded_as)
        if path is None or not self._is_inside(loaded_as, path):
            return None
        try:
            return read(loaded_as, path, os.stat(path))
        except (OSError, SyntaxError, ValueError):
            return None

    def is_library(self, loaded_as: str) -> bool:
        """Tell whether a module has a file, but is none of the project."""
        loaded = sys.modules.get(loaded_as)
        return getattr(loaded, "__file__", None) is not None and self.module(loaded_as) is None

    def _is_inside(self, name: str, path: str) -> bool:
        top = name.partition(".")[0]
        is_installed = not INSTALLED.isdisjoint(Path(path).parts)
        is_library = not is_installed and os.path.realpath(path).startswith(_STDLIB)
        if top in _NEVER or is_library:
            return False
        return top in self.packages or not is_installed

    def resolve(self, module: Module, chain: Chain) -> Symbol | None:
        """Return the symbol that a name with attributes means in a module.

        Parameters:
            module: the module where it is written.
            chain: the name and its attributes: `("helpers", "twice")`.

        Returns:
            None: it is nothing of the project.
        """
        seen: set[tuple[str, Chain]] = set()
        while (module.name, chain) not in seen:  # imports may go round in circles
            seen.add((module.name, chain))
            if not chain:
                return None
            name, *rest = chain
            statements = module.bindings.get(name)
            if statements is None:
                found = self._behind_star(module, name)
                if found is None:
                    return None
                module = found
                continue
            origin = next(
                (n for n in reversed(statements) if isinstance(n, (ast.Import, ast.ImportFrom))),
                None,
            )
            if origin is None:
                return Symbol(module, name)
            following = self._imported(module, origin, name, tuple(rest))
            if following is None:
                return None
            module, chain = following
        return None

    def _behind_star(self, module: Module, name: str) -> Module | None:
        for star in module.stars:
            found = self.module(star)
            if found is not None and (name in found.bindings or found.stars):
                return found
        return None

    def _imported(
        self, module: Module, node: ast.Import | ast.ImportFrom, name: str, rest: Chain
    ) -> tuple[Module, Chain] | None:
        if isinstance(node, ast.ImportFrom):
            source = module.absolute(node)
            alias = next(each for each in node.names if (each.asname or each.name) == name)
            found = self.module(source)
            if found is not None and (alias.name in found.bindings or found.stars):
                return found, (alias.name, *rest)
            return self._inside_package(f"{source}.{alias.name}", rest)
        for alias in node.names:
            if alias.asname == name:
                return self._inside_package(alias.name, rest)
        return self._inside_package(name, rest)

    def _inside_package(self, package: str, rest: Chain) -> tuple[Module, Chain] | None:
        """Follow attributes that are modules as far as there are such modules."""
        while rest:
            found = self.module(package)
            if found is not None and rest[0] in found.bindings:
                break
            if f"{package}.{rest[0]}" not in sys.modules and found is not None and found.stars:
                break
            if file_of(sys.modules.get(f"{package}.{rest[0]}"), f"{package}.{rest[0]}") is None:
                break
            package, rest = f"{package}.{rest[0]}", rest[1:]
        found = self.module(package)
        return None if found is None else (found, rest)


def function_exists(function: str) -> bool:
    """Tell whether there is a function where `package.module:function` says; nothing is imported.

    Parameters:
        function: the module and the qualified name of a function.
    """
    name, _, qualified = function.partition(":")
    first, *rest = qualified.split(".")
    loaded = sys.modules.get(name) or _loaded_main(name)
    if loaded is None:
        path = file_of(None, name)
        try:
            nodes = [] if path is None else read(name, path, os.stat(path)).bindings[first]
        except (OSError, SyntaxError, ValueError):
            return False
        return any(isinstance(node, (*DEFINITIONS, ast.Assign)) for node in nodes)
    found: object = vars(loaded).get(first)
    for part in rest:
        if found is None or part == "<locals>":
            break
        found = getattr(found, part, None)
    # What was moved may still have its old name there, by an import.
    inner = getattr(found, "fn", found)
    if isinstance(inner, (FunctionType, type)) and "<locals>" not in qualified:
        return ":".join(qualified_name(inner)) == function
    return found is not None


def _loaded_main(name: str) -> ModuleType | None:
    """Return the program if a module's name is the one that it would be imported by."""
    main = sys.modules.get("__main__")
    return main if main is not None and module_name("__main__", vars(main)) == name else None

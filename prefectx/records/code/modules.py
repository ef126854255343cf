"""Modules of the project as their source says: which statements bind a name, where it comes from."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from prefectx.arguments.identity.names import module_name
from prefectx.records.code.syntax import stripped

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_NEVER = frozenset({"prefectx", "prefect"})
_STDLIB = os.path.realpath(sysconfig.get_paths()["stdlib"]) + os.sep

Chain = tuple[str, ...]


class Symbol(NamedTuple):
    """A name that a module of the project binds."""

    module: Module
    name: str

    @property
    def label(self) -> str:
        """The symbol's name for people and records: `helpers.twice`."""
        return f"{self.module.name}.{self.name}"


class Module:
    """The source of a module.

    Parameters:
        loaded_as: the module's name in `sys.modules`.
        name: the name that it has when it is imported.
        path: its file.
        stat: the file's state when it was read.

    Attributes:
        source: its text.
        bindings: for each name the statements at module level that bind it.
        stars: the modules whose names it imports with `*`.

    Raises:
        SyntaxError, UnicodeDecodeError: the file is no Python source.
        OSError: it cannot be read.
    """

    def __init__(self, loaded_as: str, name: str, path: str, stat: os.stat_result) -> None:
        self.loaded_as = loaded_as
        self.name = name
        self.path = path
        self.stat = stat
        content = Path(path).read_bytes()
        self.source = importlib.util.decode_source(content)
        self.tree = stripped(ast.parse(content))
        self.bindings: dict[str, list[ast.AST]] = defaultdict(list)
        self.stars: list[str] = []
        self._bind(self.tree.body, ())

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        is_package = Path(self.path).name == "__init__.py"
        return self.name if is_package else self.name.rpartition(".")[0]

    def absolute(self, node: ast.ImportFrom) -> str:
        """Return the name of the module that an import names."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _bind(self, body: list[ast.stmt], around: tuple[ast.AST, ...]) -> None:
        for node in body:
            for name in _bound(node):
                if name == "*":
                    assert isinstance(node, ast.ImportFrom)
                    self.stars.append(self.absolute(node))
                else:
                    self.bindings[name] += [*around, node]
            # What decides whether a statement runs belongs to it.
            condition = getattr(node, "test", None)
            inside = (*around, condition) if isinstance(condition, ast.AST) else around
            for block in ("body", "orelse", "finalbody"):
                if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    self._bind(getattr(node, block, None) or [], inside)
            for handler in getattr(node, "handlers", ()):
                self._bind(handler.body, inside)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement itself binds, without those of blocks inside it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    else:
        blocks = {id(each) for name in ("body", "orelse", "finalbody") for each in
                  getattr(node, name, None) or ()}  # fmt: skip
        waiting = [node]
        names = {}
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                names[part.id] = None
            waiting += [
                child
                for child in ast.iter_child_nodes(part)
                if id(child) not in blocks
                and not isinstance(child, (ast.Lambda, ast.excepthandler))
            ]
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = None
        # `LIMITS["b"] = 2` and `paths.append("x")` change what a name stands for.
        root = _changed(node)
        if root is not None:
            names[root] = None
        yield from names


def _changed(node: ast.stmt) -> str | None:
    """Return the name whose value a statement changes in place, None if it changes none."""
    target: ast.AST | None = None
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Subscript, ast.Attribute)):
        target = node.targets[0]
    elif isinstance(node, ast.AugAssign):
        target = node.target
    elif (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
    ):
        target = node.value.func.value
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None


class Project:
    """The modules that belong to the user's project.

    Parameters:
        packages: top-level packages that belong to it wherever they are installed.
    """

    def __init__(self, packages: Collection[str] = ()) -> None:
        self.packages = frozenset(packages)

    def module(self, loaded_as: str) -> Module | None:
        """Return a module of the project; None: it is none, or has no source."""
        path = _file_of(sys.modules.get(loaded_as), loaded_as)
        if path is None or not self._is_inside(loaded_as, path):
            return None
        try:
            return _read(loaded_as, path, os.stat(path))
        except (OSError, SyntaxError, ValueError):
            return None

    def _is_inside(self, name: str, path: str) -> bool:
        top = name.partition(".")[0]
        if top in _NEVER:
            return False
        if top in self.packages:
            return True
        is_installed = not _INSTALLED.isdisjoint(Path(path).parts)
        return not is_installed and not os.path.realpath(path).startswith(_STDLIB)

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
            if _file_of(sys.modules.get(f"{package}.{rest[0]}"), f"{package}.{rest[0]}") is None:
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
        path = _file_of(None, name)
        try:
            return path is not None and first in _read(name, path, os.stat(path)).bindings
        except (OSError, SyntaxError, ValueError):
            return False
    found: object = vars(loaded).get(first)
    for part in rest:
        if found is None or part == "<locals>":
            break
        found = getattr(found, part, None)
    return found is not None


def _loaded_main(name: str) -> ModuleType | None:
    """Return the program if a module's name is the one that it would be imported by."""
    main = sys.modules.get("__main__")
    return main if main is not None and module_name("__main__", vars(main)) == name else None


def _file_of(loaded: ModuleType | None, name: str) -> str | None:
    """Return the source file of a module, which need not be loaded."""
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return file if isinstance(file, str) and file.endswith(".py") else None
    package = name.rpartition(".")[0]
    if not name or (package and package not in sys.modules):
        return None  # looking for it would import the package
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None
    origin = None if spec is None else spec.origin
    return origin if origin is not None and origin.endswith(".py") else None


def _read(loaded_as: str, path: str, stat: os.stat_result) -> Module:
    return _read_once(loaded_as, path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@functools.lru_cache(maxsize=4096)
def _read_once(loaded_as: str, path: str, mtime: int, size: int, inode: int) -> Module:
    loaded = sys.modules.get(loaded_as)
    name = module_name(loaded_as, {} if loaded is None else vars(loaded))
    return Module(loaded_as, name, path, os.stat(path))

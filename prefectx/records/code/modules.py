"""Modules of the project as their source says: what binds a name, and where it comes from."""
# pathlib costs more than the system calls that it wraps.
# ruff: noqa: PTH116

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from prefectx.arguments.identity.names import module_name
from prefectx.records.code.syntax import stripped


class Module:
    """The source of a module.

    Parameters:
        loaded_as: the module's name in `sys.modules`.
        name: the name that it has when it is imported.
        path: its file.
        stat: the file's state when it was read.

    Attributes:
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
        self._lines = importlib.util.decode_source(content).split("\n")
        self.tree = stripped(ast.parse(content))
        self.bindings: dict[str, list[ast.AST]] = defaultdict(list)
        self.stars: list[str] = []
        self._bind(self.tree.body, ())

    def text_of(self, name: str) -> str:
        """Return the lines of the statements that bind a name."""
        spans = [
            (getattr(n, "lineno", 1), getattr(n, "end_lineno", 0)) for n in self.bindings[name]
        ]
        return "\n".join(line for begin, end in spans for line in self._lines[begin - 1 : end])

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
        waiting: list[ast.AST] = [node]
        names: dict[str, None] = {}
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


def file_of(loaded: ModuleType | None, name: str) -> str | None:
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


def read(loaded_as: str, path: str, stat: os.stat_result) -> Module:
    """Return the source of a module, which is read once.

    Parameters:
        loaded_as: its name in `sys.modules`.
        path: its file.
        stat: the state of the file.

    Raises:
        SyntaxError, UnicodeDecodeError: the file is no Python source.
        OSError: it cannot be read.
    """
    return _read_once(loaded_as, path, stat.st_mtime_ns, stat.st_size, stat.st_ino)


@functools.lru_cache(maxsize=4096)
def _read_once(loaded_as: str, path: str, mtime: int, size: int, inode: int) -> Module:
    loaded = sys.modules.get(loaded_as)
    name = module_name(loaded_as, {} if loaded is None else vars(loaded))
    return Module(loaded_as, name, path, os.stat(path))

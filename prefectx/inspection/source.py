"""What the text of a Python file says of its tasks, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def parsed(file: Path) -> ast.Module:
    """Return the syntax tree of a file, an empty one if it cannot be read."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, OSError):
        return ast.Module([], [])  # importing the file reports it


def names_of_tasks(tree: ast.Module) -> Iterator[str]:
    """Yield the names that decorators `@task` and `with_options(name=...)` give.

    In a name that is computed while the program runs, `*` stands for what is not known. Names that
    an import computes are left out.
    """
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
    inner = {node for function in functions for node in ast.walk(function) if node is not function}
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            for decorator in node.decorator_list:
                call = decorator if isinstance(decorator, ast.Call) else None
                if _name(call.func if call else decorator) == "task":
                    name = (_given_name(call) if call else None) or node.name
                    yield from [name] if node in inner or "*" not in name else []
        elif isinstance(node, ast.Call) and _name(node.func) in ("with_options", "task"):
            name = _given_name(node) or ""
            yield from [name] if name and (node in inner or "*" not in name) else []


def _given_name(call: ast.Call) -> str | None:
    return next((_text(word.value) for word in call.keywords if word.arg == "name"), None)


def _text(value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant):
        return None if value.value is None else str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(_text(part) or "*" for part in value.values)
    return "*"


def names_in_contexts(tree: ast.Module) -> Iterator[str]:
    """Yield the names that calls `context(name=...)` set."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == "context":
            yield from (word.arg for word in node.keywords if word.arg)


def imports_of_its_package(tree: ast.Module) -> bool:
    """Tell whether a file imports from its package by `from .module import name`."""
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _name(function: ast.expr) -> str | None:
    name = getattr(function, "attr", None) or getattr(function, "id", None)
    return str(name) if name else None

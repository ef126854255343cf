"""Finds the source of a function that its name does not lead to: a local or an interactive one."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import FunctionType

from prefectx.records.code.loaded import is_source_of
from prefectx.records.code.syntax import stripped


def definition_of(function: FunctionType) -> tuple[ast.AST | None, str]:
    """Return the stripped definition of a function and its text; None if it has no sure source."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None, ""
    candidates = [node for node in ast.walk(tree) if _is_definition(node, function.__name__)]
    if len(candidates) != 1 or not is_source_of(function):
        return None, ""
    whole = stripped(ast.Module([tree.body[0]], type_ignores=[]))
    found = next(n for n in ast.walk(whole) if _is_definition(n, function.__name__))
    return found, text


def _is_definition(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Lambda):
        return name == "<lambda>"
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name

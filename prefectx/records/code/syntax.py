"""Source code without what changes nothing, and a fingerprint of it that no Python version changes.

Comments, formatting, docstrings and annotations do not count, nor the options that prefectx's
decorators are given. The walk over the syntax tree is our own, as `ast.dump` differs between
versions of Python.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TypeVar

import xxhash

# Fields of syntax nodes that say nothing of what the code does.
_INCIDENTAL = frozenset({"ctx", "kind", "type_comment", "type_params", "type_ignores", "simple"})
_DECORATORS = frozenset({"task", "flow"})

N = TypeVar("N", bound=ast.AST)


class Mark(str):
    """A part of a fingerprint's text that is no value."""

    __slots__ = ()


def fingerprint_of(nodes: Collection[ast.AST]) -> str:
    """Return 32 hexadecimal digits for stripped syntax nodes; their own names do not count.

    Parameters:
        nodes: statements or expressions.
    """
    made = xxhash.xxh3_128()
    for node in nodes:
        for part in _parts(node):
            made.update(part.encode("utf-8", "surrogatepass"))
    return made.hexdigest()


def _parts(top: ast.AST) -> Iterator[str]:
    waiting: list[object] = [top]
    while waiting:  # no recursion: a sum of a thousand terms is a thousand levels deep
        part = waiting.pop()
        if isinstance(part, Mark):
            yield part
        elif isinstance(part, ast.AST):
            yield f"({type(part).__name__}"
            waiting.append(Mark(")"))
            for name in reversed(part._fields):
                value = getattr(part, name, None)
                is_own_name = name == "name" and part is top and isinstance(part, DEFINITIONS)
                if name in _INCIDENTAL or is_own_name or value is None or value == []:
                    # An empty field, which other versions of Python may not have.
                    if isinstance(part, ast.Constant) and name == "value":
                        waiting.append(Mark(" None"))
                    continue
                waiting += [value, Mark(f" {name}=")]
        elif isinstance(part, list):
            yield "["
            waiting += [Mark("]"), *reversed(part)]
        else:
            # The text of a huge integer in decimal digits is refused.
            yield f"{type(part).__name__}:{hex(part) if type(part) is int else repr(part)},"


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def stripped(tree: N) -> N:
    """Remove from a syntax tree, in place, what changes nothing; return the tree."""
    names = _ours(tree)
    result: N = _Strip(names).visit(tree)
    return ast.fix_missing_locations(result)


def _ours(tree: ast.AST) -> dict[str, str]:
    """Return the names under which a module has something of prefectx or Prefect."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in ("prefectx", "prefect"):
                    found[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module in ("prefectx", "prefect"):
            found.update({alias.asname or alias.name: alias.name for alias in node.names})
    return found


class _Strip(ast.NodeTransformer):
    """Removes docstrings, annotations, and what decorators of prefectx are given.

    Parameters:
        ours: the names of what comes from prefectx or Prefect, and what they stand for.
    """

    def __init__(self, ours: dict[str, str]) -> None:
        self._ours = ours
        self._in_class = False

    def _is_ours(self, node: ast.expr) -> bool:
        """Tell whether an expression is `task`, `prefectx.flow(...)`, `clean.with_options`."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Name):
            return self._ours.get(node.id) in _DECORATORS
        if isinstance(node, ast.Attribute) and node.attr in _DECORATORS:
            return isinstance(node.value, ast.Name) and node.value.id in self._ours
        return isinstance(node, ast.Attribute) and node.attr == "with_options"

    def _definition(self, node: ast.AST, *, is_class: bool) -> ast.AST:
        outer, self._in_class = self._in_class, is_class
        assert isinstance(node, DEFINITIONS)
        node.decorator_list = [each for each in node.decorator_list if not self._is_ours(each)]
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        self._in_class = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Strip a function."""
        return self._definition(node, is_class=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Strip an async function."""
        return self._definition(node, is_class=False)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Strip a class."""
        return self._definition(node, is_class=True)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Strip a parameter."""
        node.annotation = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Strip the options of a task that is made by a call: `task(f, target=...)`."""
        if self._is_ours(node):
            node.keywords = []
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Strip docstrings, and other texts that are not used."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Strip empty texts in f-strings, which some versions of Python put at their end."""
        node.values = [part for part in node.values if getattr(part, "value", None) != ""]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Strip an annotation; in a class it makes a field, of a dataclass for one."""
        self.generic_visit(node)
        if self._in_class:
            node.annotation = ast.Constant(None)
            return node
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Strip what is inside; a block that is left empty passes."""
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None) == [] and name == "body":
                node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node

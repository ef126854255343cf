"""What a piece of source refers to outside itself."""

from __future__ import annotations

import ast
import dis
from collections.abc import Collection, Iterator
from types import CodeType

Chain = tuple[str, ...]
_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


def references(nodes: Collection[ast.AST]) -> set[Chain]:
    """Return the global names that syntax nodes use, each with the attributes taken of it.

    Parameters:
        nodes: statements and expressions, stripped.
    """
    found: set[Chain] = set()
    for node in nodes:
        if isinstance(node, ast.expr):
            code = compile(ast.Expression(node), "<reference>", "eval")
        else:
            assert isinstance(node, ast.stmt)
            code = compile(ast.Module([node], type_ignores=[]), "<reference>", "exec")
        found |= chains(node, set(global_names(code)))
    return found


def imported_by(nodes: Collection[ast.AST]) -> frozenset[str]:
    """Return the top-level modules that import statements name, also those inside functions."""
    found = set()
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in part.names}
            elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
                found.add(part.module.partition(".")[0])
    return frozenset(found)


def global_names(code: CodeType) -> Iterator[str]:
    """Yield the names that code, and the code inside it, looks up outside of functions."""
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith(_GLOBAL):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)


def chains(node: ast.AST, names: Collection[str]) -> set[Chain]:
    """Return the uses of some names: each with the attributes taken of it, `a.b.c`."""
    found: set[Chain] = set()
    inner: set[int] = set()  # the parts of longer chains
    for part in ast.walk(node):  # outer nodes come first
        if id(part) in inner or not isinstance(part, (ast.Attribute, ast.Name)):
            continue
        attributes: list[str] = []
        root: ast.AST = part
        while isinstance(root, ast.Attribute):
            attributes.append(root.attr)
            root = root.value
            inner.add(id(root))
        if isinstance(root, ast.Name) and root.id in names:
            found.add((root.id, *reversed(attributes)))
    return found

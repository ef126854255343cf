"""Whether the source of a module is still that of the code that was loaded from it."""

from __future__ import annotations

import ast
import functools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from prefectx.arguments.fingerprint import fingerprint
from prefectx.records.code.modules import Module

# What evaluating does nothing but give a value: no calls.
_WITHOUT_EFFECT = (
    ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Dict,
    ast.List, ast.Tuple, ast.Set, ast.Subscript, ast.Slice, ast.Starred, ast.JoinedStr,
    ast.FormattedValue, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def is_as_loaded(module: Module, name: str) -> bool | None:
    """Tell whether what a module binds to a name is what its source says.

    A file that has not changed since this process began is that of the loaded code. Of a later
    one functions are compared by their code, and constants by their value where that is written
    out; what cannot be compared is not known to be the same.

    Parameters:
        module: the source.
        name: a name at module level.

    Returns:
        False: the code that was loaded is another one; None: that cannot be told.
    """
    if module.stat.st_ctime < process_start():
        return True
    loaded = sys.modules.get(module.loaded_as)
    if loaded is None:
        return True  # it will be loaded from this source
    if name not in vars(loaded):
        return None
    value = vars(loaded)[name]
    functions = list(_functions(value))
    if functions:
        codes = _codes_by_name(module.path, module.stat.st_mtime_ns, module.stat.st_size)
        own = [function for function in functions if function.__module__ == loaded.__name__]
        if not own:
            return None
        return all(
            any(
                does_the_same(function.__code__, code)
                for code in codes.get(function.__code__.co_qualname, ())
            )
            for function in own
        )
    return _has_written_value(module.bindings[name], value, vars(loaded)) or None


def is_source_of(function: FunctionType) -> bool:
    """Tell whether the file of a function still has its source; that of a notebook's cell stays."""
    code = function.__code__
    try:
        stat = os.stat(code.co_filename)  # noqa: PTH116
    except OSError:
        return True  # a cell
    if stat.st_ctime < process_start():
        return True
    codes = _codes_by_name(code.co_filename, stat.st_mtime_ns, stat.st_size)
    return any(does_the_same(code, other) for other in codes.get(code.co_qualname, ()))


def _functions(value: object) -> Iterator[FunctionType]:
    """Yield the functions that a function, task or class is made of."""
    waiting: list[Any] = [value]
    seen: list[object] = []
    while waiting and len(seen) < 1000:
        thing = waiting.pop()
        if any(thing is other for other in seen):
            continue
        seen.append(thing)
        if isinstance(thing, FunctionType):
            yield thing
        if isinstance(thing, type) and thing is value:
            waiting += vars(thing).values()
        elif not isinstance(thing, (type, ModuleType)):
            for attribute in ("fn", "__wrapped__", "__func__", "func", "fget", "fset", "fdel"):
                inner = getattr(thing, attribute, None)
                if callable(inner):
                    waiting.append(inner)


def does_the_same(one: CodeType, other: CodeType) -> bool:
    """Tell whether two code objects do the same, wherever they stand."""
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars, one.co_cellvars) != (
        other.co_code, other.co_names, other.co_varnames, other.co_freevars, other.co_cellvars
    ) or len(one.co_consts) != len(other.co_consts):  # fmt: skip
        return False
    return all(
        does_the_same(mine, theirs)
        if isinstance(mine, CodeType) and isinstance(theirs, CodeType)
        else repr(mine) == repr(theirs)
        for mine, theirs in zip(one.co_consts, other.co_consts, strict=True)
    )


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield all code objects inside one."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_in(constant)


@functools.lru_cache(maxsize=256)
def _codes_by_name(path: str, mtime: int, size: int) -> dict[str, list[CodeType]]:
    found: dict[str, list[CodeType]] = {}
    try:
        code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return found
    for inner in codes_in(code):
        found.setdefault(inner.co_qualname, []).append(inner)
    return found


def _has_written_value(nodes: list[ast.AST], value: object, namespace: dict[str, object]) -> bool:
    """Tell whether a statement writes out a value, `LIMIT = 3 * SIZE`, and it has that value."""
    if len(nodes) != 1 or not isinstance(nodes[0], ast.Assign):
        return False
    expression = nodes[0].value
    if not isinstance(nodes[0].targets[0], ast.Name) or not all(
        isinstance(node, _WITHOUT_EFFECT) for node in ast.walk(expression)
    ):
        return False
    try:
        code = compile(ast.Expression(expression), "<constant>", "eval")
        return fingerprint(eval(code, dict(namespace))) == fingerprint(value)
    except Exception:  # whatever operators raise: it is not known to be the same
        return False


@functools.cache
def process_start() -> float:
    """Return when this process began, in seconds since 1970, or a little earlier."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0  # nothing is known to be older

"""Whether the source of a module is still that of the code that was loaded from it."""

from __future__ import annotations

import ast
import copy
import functools
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType

from prefectx.arguments.fingerprint import fingerprint
from prefectx.records.code.modules import Module

_METHODS = (FunctionType, staticmethod, classmethod, property)
# What evaluating does nothing but give a value: no calls.
_WITHOUT_EFFECT = (
    ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Dict,
    ast.List, ast.Tuple, ast.Set, ast.Subscript, ast.Slice, ast.Starred, ast.JoinedStr,
    ast.FormattedValue, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def is_as_loaded(module: Module, name: str) -> bool | None:
    """Tell whether what a module binds to a name is what its source says.

    A file that has not changed since this process began is that of the loaded code. Of a later one
    functions and classes are compared by their code, and constants, defaults and attributes by
    their value where that is written out; what cannot be compared, as what a decorator did, is not
    known to be the same.

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
    nodes = module.bindings[name]
    if name not in vars(loaded) or len(nodes) != 1:
        return None
    value, node = vars(loaded)[name], nodes[0]
    codes = _codes_by_name(module.path, module.stat.st_mtime_ns, module.stat.st_size)
    comparison = _Comparison(codes, vars(loaded))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return comparison.of_function(node, getattr(value, "fn", value))
    if isinstance(node, ast.ClassDef):
        return comparison.of_class(node, value)
    return comparison.of_constant(node, value)


class _Comparison:
    """Compares what was loaded from a module with its source, stripped.

    Parameters:
        codes: the code objects of the source, by qualified name.
        namespace: the globals of the module.
    """

    def __init__(
        self, codes: Mapping[str, Sequence[CodeType]], namespace: Mapping[str, object]
    ) -> None:
        self._codes = codes
        self._namespace = dict(namespace)

    def of_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, value: object
    ) -> bool | None:
        """Compare a function; what decorators made of it cannot be told."""
        if not isinstance(value, FunctionType) or hasattr(value, "__wrapped__"):
            return None
        known = self._codes.get(value.__code__.co_qualname, ())
        if not any(does_the_same(value.__code__, code) for code in known):
            return False
        named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        keywords = {key.arg: default for key, default in named if default is not None}
        loaded = value.__kwdefaults__ or {}
        if len(node.args.defaults) != len(value.__defaults__ or ()) or keywords.keys() != set(
            loaded
        ):
            return False
        pairs = [*zip(node.args.defaults, value.__defaults__ or (), strict=True)]
        pairs += [(default, loaded[key]) for key, default in keywords.items()]
        is_known = not node.decorator_list and all(self._gives(*pair) for pair in pairs)
        return True if is_known else None

    def of_class(self, node: ast.ClassDef, value: object) -> bool | None:
        """Compare a class: its bases, methods and attributes."""
        if not isinstance(value, type) or node.decorator_list or node.keywords:
            return None
        bases = value.__bases__ if node.bases else ()
        if len(bases) != len(node.bases) or not all(map(self._is, node.bases, bases)):
            return None
        left = {
            name: member
            for name, member in vars(value).items()
            if not (name.startswith("__") and name.endswith("__")) or isinstance(member, _METHODS)
        }
        for part in node.body:
            if isinstance(part, ast.Pass):
                continue
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found = self._of_method(part, left.pop(part.name, None))
            elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                found = self.of_constant(part, left.pop(part.targets[0].id, None))
            else:
                found = None
            if not found:
                return found
        return None if left else True

    def _of_method(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, value: object
    ) -> bool | None:
        kind = {staticmethod: "staticmethod", classmethod: "classmethod", property: "property"}
        decorators = [part.id for part in node.decorator_list if isinstance(part, ast.Name)]
        wanted = [kind[type(value)]] if type(value) in kind else []
        if decorators != wanted or len(decorators) != len(node.decorator_list):
            return None
        plain = copy.copy(node)
        plain.decorator_list = []
        inner = getattr(value, "fget", None) or getattr(value, "__func__", value)
        return self.of_function(plain, getattr(inner, "fn", inner))

    def of_constant(self, node: ast.AST, value: object) -> bool | None:
        """Compare a value with the expression of an assignment, `LIMIT = 3 * SIZE`."""
        is_plain = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        return True if is_plain and self._gives(node.value, value) else None  # type: ignore[attr-defined]

    def _is(self, expression: ast.expr, value: object) -> bool:
        """Tell whether a name, also one with attributes, stands for a value."""
        if not all(
            isinstance(node, (ast.Name, ast.Attribute, ast.Load)) for node in ast.walk(expression)
        ):
            return False
        return self._evaluated(expression) is value

    def _gives(self, expression: ast.expr, value: object) -> bool:
        """Tell whether an expression, which does nothing but give a value, gives this one."""
        if not all(isinstance(node, _WITHOUT_EFFECT) for node in ast.walk(expression)):
            return False
        try:
            return fingerprint(self._evaluated(expression)) == fingerprint(value)
        except Exception:  # whatever operators raise: it is not known to be the same
            return False

    def _evaluated(self, expression: ast.expr) -> object:
        code = compile(ast.Expression(expression), "<constant>", "eval")
        return eval(code, self._namespace)


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


@functools.cache
def process_start() -> float:
    """Return when this process began, in seconds since 1970: before it read its first module.

    The system tells it in ticks of 10 ms, rounded down; Python takes longer than one to start.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ticks = (int(fields[19]) + 1) / os.sysconf("SC_CLK_TCK")
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks
    except (OSError, ValueError, IndexError, AttributeError):
        import psutil  # type: ignore[import-untyped]  # of other systems; slower

        return float(psutil.Process().create_time())

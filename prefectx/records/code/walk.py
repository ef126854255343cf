"""The way from a function through everything of the project that it refers to."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)

import xxhash

from prefectx.arguments.identity.names import (
    defining_module,
    depth_under_name,
    leads_back,
    qualified_name,
)
from prefectx.records.code.contents import Code, Global, digest_of, task_function
from prefectx.records.code.definitions import definition_of
from prefectx.records.code.loaded import is_as_loaded
from prefectx.records.code.modules import Module
from prefectx.records.code.project import Project, Symbol
from prefectx.records.code.references import (
    Chain,
    chains,
    global_names,
    imported_by,
    references,
)
from prefectx.records.code.syntax import fingerprint_of


class Walk:
    """The way from one function through everything that it refers to.

    Parameters:
        function: the function.
        packages: installed packages that belong to the project.
    """

    def __init__(self, function: Callable[..., object], packages: tuple[str, ...]) -> None:
        self.project = Project({*_own_package(_innermost(function)), *packages})
        self.symbols: dict[str, str | None] = {}
        self.sources: dict[str, str] = {}
        self._functions: dict[int, tuple[FunctionType, str | None]] = {}
        self._globals: list[Global] = []
        self._waiting: list[Symbol] = []
        self._referrers: dict[str, str] = {}
        self._own: str | None = None
        self._outdated: set[str] = set()
        self._imports: set[str] = set()
        self._follow(function, own=True)
        while self._waiting:
            self._add(self._waiting.pop())

    def code(self) -> Code:
        """Return what was found."""
        named = repr(sorted((self.symbols | {"": self._own}).items()))
        digest = xxhash.xxh3_128(named.encode()).hexdigest()
        imports = frozenset(name for name in self._imports if self.project.module(name) is None)
        return Code(
            digest,
            self._own,
            self.symbols,
            self.sources,
            frozenset(self._outdated),
            imports,
            tuple(self._globals),
            self._referrers,
        )

    def _follow(self, thing: object, own: bool = False) -> str | None:
        """Take in a function, class or other object; return what stands for it, None if unknown."""
        if isinstance(thing, functools.partial):
            given = digest_of((thing.args, thing.keywords))
            inner = self._follow(thing.func, own)
            return None if given is None or inner is None else f"{inner} with {given}"
        if isinstance(thing, (staticmethod, classmethod, MethodType)):
            return self._follow(thing.__func__, own)
        unwrapped = task_function(thing)
        if unwrapped is not None:
            return self._follow(unwrapped, own)
        if isinstance(thing, (FunctionType, type)):
            symbol = self._symbol(thing)
            if symbol is not None:
                return self._add(symbol, own)
            if isinstance(thing, FunctionType) and not self.project.is_library(thing.__module__):
                return self._add_function(thing, own)
            self._imports.add(thing.__module__.partition(".")[0])
            return self._name(":".join(qualified_name(thing)), own)
        if isinstance(thing, (BuiltinFunctionType, MethodDescriptorType, ModuleType)):
            return self._name(repr(getattr(thing, "__qualname__", thing.__name__)), own)
        if own:  # a callable object: its class, and what it holds
            inner, held = self._follow(type(thing), own), digest_of(thing)
            return None if inner is None or held is None else f"{inner} with {held}"
        return digest_of(thing)

    def _name(self, name: str, own: bool) -> str:
        """Return what stands for something of a library: its name, as its version is no code."""
        if own:
            self._own = _hash([name])
        return name

    def _symbol(self, thing: FunctionType | type) -> Symbol | None:
        """Return the symbol that a function or class is, or is a part of."""
        if not leads_back(thing):
            return None
        module = self.project.module(defining_module(thing))
        name = thing.__qualname__.partition(".")[0]
        return None if module is None else self.project.resolve(module, (name,))

    def _add(self, symbol: Symbol, own: bool = False) -> str | None:
        if symbol.label in self.symbols and not own:
            return self.symbols[symbol.label]
        module, name = symbol
        digest, used, imports = _analysed(module, name)
        self._imports |= imports
        is_loaded = is_as_loaded(module, name)
        made = digest if is_loaded else None
        if is_loaded is False:
            self._outdated.add("" if own else symbol.label)
        self._note(symbol.label, made, module.text_of(name), own)
        for chain in used:
            found = self.project.resolve(module, chain)
            if found is not None and found.label not in self.symbols and found != symbol:
                self._waiting.append(found)
                self._referrers.setdefault(found.label, "" if own else symbol.label)
        return made

    def _add_function(self, function: FunctionType, own: bool) -> str | None:
        """Take in a function that its name does not lead to: a local or an interactive one."""
        code = function.__code__
        label = ".".join(qualified_name(function))
        if id(function) in self._functions:
            return self._functions[id(function)][1]
        self._functions[id(function)] = function, label  # it may refer to itself
        node, text = definition_of(function)
        parts = [fingerprint_of([node]) if node is not None else digest_of(code)]
        if node is None:  # bytecode differs between versions of Python
            parts.append(f"Python {sys.version_info.major}.{sys.version_info.minor}")
        parts += [digest_of(function.__defaults__), digest_of(function.__kwdefaults__)]
        for cell in function.__closure__ or ():
            try:
                parts.append(self._follow(cell.cell_contents))
            except ValueError:  # not yet bound
                parts.append("empty")
        wrapped = getattr(function, "__wrapped__", None)
        if isinstance(wrapped, FunctionType):
            parts.append(self._follow(wrapped))
        for chain in sorted(self._chains(node, code)):
            parts.append(self._global(function, chain))
        known = [part for part in parts if part is not None]
        made = _hash(known) if len(known) == len(parts) else None
        self._functions[id(function)] = function, made
        self._note(label, made, text, own)
        return made

    def _chains(self, node: ast.AST | None, code: CodeType) -> set[Chain]:
        names = set(global_names(code))
        return {(name,) for name in names} if node is None else chains(node, names)

    def _global(self, function: FunctionType, chain: Chain) -> str | None:
        """Take in what a global name with attributes stands for in a function."""
        name, *rest = chain
        module = self.project.module(str(function.__globals__.get("__name__")))
        if module is not None and name in module.bindings:
            return self._later(self.project.resolve(module, chain)) or ".".join(chain)
        if name not in function.__globals__:
            return name  # a built-in one, or nothing
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            self._imports.add(value.__name__.partition(".")[0])
        while isinstance(value, ModuleType) and rest:
            inner = self.project.module(value.__name__)
            symbol = None if inner is None else self.project.resolve(inner, tuple(rest))
            if symbol is not None:
                return self._later(symbol)
            value, rest = getattr(value, rest[0], None), rest[1:]
        self._globals.append(Global.read(function.__globals__, chain))
        return self._follow(value)

    def _later(self, symbol: Symbol | None) -> str | None:
        if symbol is not None and symbol.label not in self.symbols:
            self._waiting.append(symbol)
        return None if symbol is None else symbol.label

    def _note(self, label: str, made: str | None, text: str, own: bool) -> None:
        if own:
            self._own = made
        else:
            self.symbols[label] = made
        if made is not None and text:
            self.sources[made] = text


@functools.lru_cache(maxsize=16384)
def _analysed(module: Module, name: str) -> tuple[str, list[Chain], frozenset[str]]:
    """Return the fingerprint of what a module binds to a name, what that refers to and imports."""
    nodes = module.bindings[name]
    used = references(nodes)
    named = {part for chain in used for part in module.bindings.get(chain[0], ())}
    return fingerprint_of(nodes), sorted(used), imported_by([*nodes, *named])


def _innermost(function: object) -> object:
    inner = getattr(function, "func", None)
    if isinstance(function, functools.partial):
        return _innermost(inner)
    return function if isinstance(function, (FunctionType, type)) else type(function)


def _own_package(function: object) -> set[str]:
    """Return the package of a task; not that of a library's function that was made one."""
    if not isinstance(function, (FunctionType, type)):
        return set()
    module = defining_module(function)
    held = vars(sys.modules.get(module, object)).values()
    is_task = any(task_function(thing) is function for thing in held)
    is_plain = depth_under_name(function) == 0 and not is_task
    return set() if is_plain else {module.partition(".")[0]}


def _hash(parts: list[str]) -> str:
    return xxhash.xxh3_128("\0".join(parts).encode()).hexdigest()

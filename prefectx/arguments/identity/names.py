"""Names of functions, classes and modules that are the same however a file was loaded."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
from collections.abc import Iterator, Mapping
from types import CellType, FunctionType

# Their public names do not move between versions, their modules do.
_CANONICAL = frozenset({"numpy", "pandas", "polars", "pyarrow"}) | sys.stdlib_module_names
_RENAMED = {"bool_": "bool"}  # of NumPy 1
# Decorated functions are wrapped a few times at most.
_MOST_STEPS = 50


def qualified_name(thing: type | FunctionType) -> tuple[str, str]:
    """Return module and name of a function or class, in a form that is the same everywhere.

    `__main__` and modules that were loaded from their file under a made-up name have the name
    that an import would give them. Libraries move what they define between private modules, so
    what the top-level module shows is named by that.
    """
    module, name = defining_module(thing), thing.__qualname__
    root = module.partition(".")[0]
    if root in _CANONICAL:
        if vars(sys.modules.get(root, object)).get(name) is thing:
            return root, _RENAMED.get(name, name)
        first, *rest = module.split(".")
        return ".".join([first, *(part for part in rest if part[0] != "_")]), name
    return module_name(module, _namespace(thing) or {}), name


def defining_module(thing: type | FunctionType) -> str:
    """Return the name of the module that defines a function or class."""
    # A class that describes the modules of its instances has a descriptor there.
    return thing.__module__ if isinstance(thing.__module__, str) else "builtins"


def module_name(name: str, namespace: Mapping[str, object]) -> str:
    """Return the name that a module has when it is imported.

    Parameters:
        name: the name that it has now.
        namespace: its globals.
    """
    spec_name = getattr(namespace.get("__spec__"), "name", None)
    if name == "__main__" and isinstance(spec_name, str):
        return spec_name.removesuffix(".__main__")
    file = namespace.get("__file__")
    if not isinstance(file, str):
        return name
    folder, stem = os.path.split(os.path.splitext(file)[0])
    if stem == "__init__" or name.rpartition(".")[2] == stem:
        return name
    parts = [stem]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.append(package)
    return ".".join(reversed(parts))


def leads_back(thing: type | FunctionType) -> bool:
    """Tell whether the qualified name of a function or class identifies it.

    It does if it is found under its name, or inside of what decorates it there. A name in an
    interactive program, which has no file, may mean something else soon.
    """
    namespace = _namespace(thing)
    if namespace is None or "<" in thing.__qualname__:
        return False
    if namespace.get("__file__") is None and namespace.get("__spec__") is None:
        return False
    first, *rest = thing.__qualname__.split(".")
    found = namespace.get(first)
    for name in rest:
        bases = found.__mro__ if isinstance(found, type) else ()
        found = next((vars(base)[name] for base in bases if name in vars(base)), None)
    return any(inner is thing for inner in _unwrapped(found))


@functools.lru_cache(maxsize=1024)
def library_version(module: str) -> str | None:
    """Return name and version of the library that a module belongs to.

    Returns:
        None for the standard library and for what is not installed as a library: the user's own
        code, editable installs.
    """
    root = module.partition(".")[0]
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    if root in sys.stdlib_module_names or not {"site-packages", "dist-packages"} & set(
        file.replace(os.sep, "/").split("/")
    ):
        return None
    try:
        return f"{root} {importlib.metadata.version(root)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{root} {vars(sys.modules[root]).get('__version__', '')}"


def _namespace(thing: type | FunctionType) -> Mapping[str, object] | None:
    """Return the globals of the module that defines a function or class.

    Not from `sys.modules` first: one file may be loaded under several names, and twice.
    """
    inner = [thing] if isinstance(thing, FunctionType) else vars(thing).values()
    for candidate in inner:
        for function in _unwrapped(candidate):
            if isinstance(function, FunctionType):
                namespace = function.__globals__
                if namespace.get("__name__") == defining_module(thing):
                    return namespace
    module = sys.modules.get(defining_module(thing))
    return None if module is None else vars(module)


def _unwrapped(found: object) -> Iterator[object]:
    """Yield an object and what it decorates."""
    seen: list[object] = []
    waiting = [found]
    while waiting and len(seen) < _MOST_STEPS:
        thing = waiting.pop()
        if any(thing is other for other in seen):
            continue
        yield thing
        seen.append(thing)
        if isinstance(thing, type):
            continue
        names = ("fn", "__wrapped__", "__func__", "func", "fget")
        attributes = getattr(thing, "__dict__", {})
        inner = [attributes.get(name) for name in names]
        if isinstance(thing, (staticmethod, classmethod, functools.partial, property)):
            inner += [getattr(thing, name, None) for name in names]
        if isinstance(thing, FunctionType):
            inner += _contents(thing.__closure__ or ())
        waiting += [part for part in inner if callable(part) or isinstance(part, property)]


def _contents(cells: tuple[CellType, ...]) -> list[object]:
    contents = []
    for cell in cells:
        try:
            contents.append(cell.cell_contents)
        except ValueError:  # not yet bound
            continue
    return contents

"""Names of functions, classes and modules that are the same however a file was loaded."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CellType, FunctionType

# Their public names do not move between versions, their modules do.
_CANONICAL = frozenset({"numpy", "pandas", "polars", "pyarrow"}) | sys.stdlib_module_names
_RENAMED = {"bool_": "bool"}  # of NumPy 1
INSTALLED = frozenset({"site-packages", "dist-packages"})
# Decorated functions are wrapped a few times at most.
_MOST_STEPS = 50


def qualified_name(thing: type | FunctionType) -> tuple[str, str]:
    """Return module and name of a function or class, in a form that is the same everywhere.

    `__main__` and modules that were loaded from their file under a made-up name have the name
    that an import would give them. Libraries move what they define between private modules, so
    what the top-level module shows is named by that.
    """
    module, name = defining_module(thing), thing.__qualname__
    if is_canonical(module):
        return public_name(thing, module, name)
    namespace = next((known for known in _namespaces(thing) if "__file__" in known), {})
    return module_name(module, namespace), name


def is_canonical(module: str) -> bool:
    """Tell whether a module's values have forms that do not depend on its version."""
    return module.partition(".")[0] in _CANONICAL


def public_name(thing: object, module: str, name: str) -> tuple[str, str]:
    """Return module and name of something in a library, without private modules."""
    first, *rest = module.split(".")
    if vars(sys.modules.get(first, object)).get(name) is thing:
        return first, _RENAMED.get(name, name)
    return ".".join([first, *(part for part in rest if part[0] != "_")]), name


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
    path = Path(file)
    stem = path.name.partition(".")[0]
    if stem == "__init__" or name.rpartition(".")[2] == stem:
        return name
    packages = itertools.takewhile(lambda folder: (folder / "__init__.py").is_file(), path.parents)
    return ".".join([*reversed([folder.name for folder in packages]), stem])


def leads_back(thing: type | FunctionType) -> bool:
    """Tell whether the qualified name of a function or class identifies it."""
    return depth_under_name(thing) is not None


def depth_under_name(thing: type | FunctionType) -> int | None:
    """Tell how deep inside of what decorates it a function or class is found under its name.

    A name in an interactive program, which has no file, may mean something else soon.

    Returns:
        0 if the name is that of the thing itself; None if the name does not lead to it.
    """
    if "<" in thing.__qualname__:
        return None
    first, *rest = thing.__qualname__.split(".")
    for namespace in _namespaces(thing):
        if namespace.get("__file__") is None and namespace.get("__spec__") is None:
            continue
        found = namespace.get(first)
        for name in rest:
            bases = found.__mro__ if isinstance(found, type) else ()
            found = next((vars(base)[name] for base in bases if name in vars(base)), None)
        for depth, inner in enumerate(_unwrapped(found)):
            if inner is thing:
                return depth
    return None


@functools.lru_cache(maxsize=1024)
def library_version(module: str) -> str | None:
    """Return name and version of the library that a module belongs to.

    Returns:
        None for the standard library and for what is not installed as a library: the user's own
        code, editable installs.
    """
    root = module.partition(".")[0]
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    if root in sys.stdlib_module_names or INSTALLED.isdisjoint(Path(file).parts):
        return None
    # Slow to import, and seldom needed.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{root} {version(root)}"
    except PackageNotFoundError:
        return f"{root} {vars(sys.modules[root]).get('__version__', '')}"


def _namespaces(thing: type | FunctionType) -> Iterator[Mapping[str, object]]:
    """Yield the globals of the module that defines a function or class.

    Not only from `sys.modules`: one file may be loaded twice, or be in there no more.
    """
    name = defining_module(thing)
    module = sys.modules.get(name)
    if isinstance(thing, type) and module is not None:
        yield vars(module)
    for candidate in [thing] if isinstance(thing, FunctionType) else vars(thing).values():
        for function in _unwrapped(candidate):
            if isinstance(function, FunctionType) and function.__globals__.get("__name__") == name:
                yield function.__globals__
    if isinstance(thing, FunctionType) and module is not None:
        yield vars(module)


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
        try:
            attributes = object.__getattribute__(thing, "__dict__")
        except AttributeError:
            attributes = {}
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

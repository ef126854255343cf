"""Decorated: the base class of tasks and flows. It binds to objects, copies and pickles."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Generic, NamedTuple, ParamSpec, Self, TypeVar, cast

from prefectx import settings
from prefectx.arguments.by_value import ByValue

P = ParamSpec("P")
R = TypeVar("R")


class Decorated(Generic[P, R]):
    """A function with options.

    It is pickled by name, with the settings if an override is in force. A pickle of the function
    itself would contain its code and all globals that it uses, as its name now refers to the
    decorated object.

    Parameters:
        fn: the function, also a class method or a static method.
        prefect_keywords: the keywords of Prefect's decorator.

    Attributes:
        fn: the function itself.
        name: its name in the configuration and in Prefect.
        owner: the object or class that a method is bound to, in a tuple; empty for a function.
        bound_arguments: how many of the first parameters the owner takes: 0 or 1.
    """

    fn: Callable[..., Any]
    name: str
    __name__: str
    __qualname__: str
    isasync: bool
    isgenerator: bool

    # Attributes that copies and pickles leave out.
    _derived: tuple[str, ...] = ("_twin", "_method", "_unbound")
    # Each access to a method makes a new bound object. What is slow to make is made once, by
    # `_method`, and shared: it is the `_unbound` of every bound object.
    _method: Self | None = None
    _unbound: Self | None = None
    bound_arguments = 0

    def __init__(
        self, fn: Callable[P, R], prefect_keywords: Mapping[str, object] | None = None
    ) -> None:
        self.kind: type | None = None
        self.fn = fn
        if isinstance(fn, (classmethod, staticmethod)):
            self.kind, self.fn = type(fn), fn.__func__
        functools.update_wrapper(cast(Callable[..., object], self), self.fn)
        if not hasattr(self.fn, "__qualname__"):
            # A partial or a callable object has the name of its type, as in Prefect.
            cls = type(self.fn)
            self.__name__, self.__qualname__ = cls.__name__, cls.__qualname__
            self.__module__ = cls.__module__
        self.prefect_keywords = dict(prefect_keywords or {})
        self.isasync = inspect.iscoroutinefunction(self.fn) or inspect.isasyncgenfunction(self.fn)
        self.isgenerator = inspect.isgeneratorfunction(self.fn) or inspect.isasyncgenfunction(
            self.fn
        )
        self.owner: tuple[object, ...] = ()

    @property
    def given_name(self) -> str | None:
        """The name that was given, None if it has that of the function."""
        name = self.prefect_keywords.get("name")
        return None if name is None else str(name)

    @property
    def qualified_name(self) -> str:
        """Where the function is defined: `package.module:function`."""
        return f"{self.__module__}:{self.__qualname__}"

    def copy(self) -> Self:
        """Return a copy with the same function and options."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        for name in self._derived:
            copy.__dict__.pop(name, None)
        return copy

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        if self.kind is staticmethod or (instance is None and self.kind is None):
            return self
        bound = self.copy()
        bound.owner = (owner if self.kind is classmethod else instance,)
        bound.bound_arguments = 1
        if self._method is None:
            self._method = self.copy()
            self._method.bound_arguments = 1
        bound._unbound = self._method
        return bound

    def __copy__(self) -> Self:
        return self.copy()

    @property
    def is_named(self) -> bool:
        """Whether it is found by its name, which then is all that a pickle of it holds."""
        return _find(self.__module__, self.__qualname__) is self

    def __reduce__(self) -> tuple[object, ...]:
        sent = settings.STATE.to_send()
        if self.is_named:
            name = (type(self), self.__module__, self.__qualname__)
            return _from_name, name if sent is None else (*name, sent)
        return _new, (type(self), sent), self.__getstate__()

    def __getstate__(self) -> dict[str, object]:
        state = {name: value for name, value in vars(self).items() if name not in self._derived}
        del state["__wrapped__"]
        state["fn"] = _for_pickle(self.fn, _FunctionName(self.__module__, self.__qualname__))
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        if isinstance(self.fn, _FunctionName):
            self.fn = _import(*self.fn).fn
        self.__wrapped__ = self.fn

    @classmethod
    def _from_name(cls, module: str, qualname: str) -> Self:
        return cast(Self, _import(module, qualname))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.qualified_name}>"


def function_name(fn: object) -> str:
    """Return the name of a function or method; of a partial or callable object that of its type."""
    function = getattr(fn, "__func__", fn)
    return str(getattr(function, "__name__", type(function).__name__))


class _FunctionName(NamedTuple):
    """Replaces a function in a pickle: the name of the decorated object that holds it."""

    module: str
    qualname: str


def _for_pickle(function: Callable[..., object], name: _FunctionName) -> object:
    """Return the name of a function if it can be found by that, else the function by value."""
    if getattr(_find(*name), "fn", None) is function:
        return name
    return ByValue(function) if isinstance(function, FunctionType) else function


def _from_name(
    cls: type[Decorated[..., object]],
    module: str,
    qualname: str,
    sent: settings.SentSettings | None = None,
) -> object:
    # A function that calls the class method, as cloudpickle pickles class methods by value.
    found = cls._from_name(module, qualname)
    if sent is not None:
        settings.STATE.unpack(sent)
    return found


def _new(cls: type[Decorated[..., object]], sent: settings.SentSettings | None) -> object:
    if sent is not None:
        settings.STATE.unpack(sent)
    return object.__new__(cls)


def _import(module: str, qualname: str) -> Any:
    return functools.reduce(getattr, qualname.split("."), importlib.import_module(module))


def _is_spawning() -> bool:
    """Tell whether what is pickled is for a process of multiprocessing, which has the program."""
    context = sys.modules.get("multiprocessing.context")
    return context is not None and context.get_spawning_popen() is not None


def _find(module: str, qualname: str) -> object:
    # Not in __main__: on a worker that is another program, but not in a process that is spawned.
    if (module == "__main__" and not _is_spawning()) or module not in sys.modules:
        return None
    try:
        return cast(object, functools.reduce(getattr, qualname.split("."), sys.modules[module]))
    except AttributeError:
        return None

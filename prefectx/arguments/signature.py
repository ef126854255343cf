"""Binds the arguments of calls to the parameters of a function."""

from __future__ import annotations

import functools
import inspect
import typing
from collections import OrderedDict
from collections.abc import Callable, Mapping

from prefectx.item import Item
from prefectx.prefect_errors import also_prefects

Arguments = dict[str, object]


class BindError(TypeError):
    """The arguments of a call do not fit its function."""


class Signature:
    """Binds calls to the parameters of one function.

    Parameters:
        fn: the function.

    Attributes:
        inspected: the function's signature as `inspect` gives it.
        names: the names of its parameters, in order.
        variadic: the names of its `*args` and `**kwargs`.
        keywords: the name of its `**kwargs`, None if it has none.
        is_simple: whether every parameter takes arguments by position and by name.
        wants_items: the names of the parameters whose annotation contains `Item`.
    """

    __slots__ = (
        "_defaults",
        "_name",
        "inspected",
        "is_simple",
        "keywords",
        "names",
        "variadic",
        "wants_items",
    )

    def __init__(self, fn: Callable[..., object]) -> None:
        self.inspected = _signature(fn)
        self._name = getattr(fn, "__name__", type(fn).__name__)
        parameters = self.inspected.parameters.values()
        self.names = tuple(p.name for p in parameters)
        self.keywords = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self.variadic = frozenset(
            p.name for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        )
        self.is_simple = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        self.wants_items = _parameters_of_items(fn, self.inspected)
        self._defaults = {p.name: p.default for p in parameters if p.default is not p.empty}

    def bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Arguments:
        """Return the arguments by name, in the order of the parameters, defaults applied.

        Raises:
            BindError: if the arguments do not fit.
        """
        names = self.names
        if self.is_simple and len(args) <= len(names):
            if not kwargs and len(args) == len(names):
                return dict(zip(names, args, strict=True))
            given = dict(zip(names, args, strict=False))
            if given.keys().isdisjoint(kwargs):
                given |= kwargs
                merged = {**self._defaults, **given}
                if len(merged) == len(names) and merged.keys() <= set(names):
                    return {name: merged[name] for name in names}
        bound = self._bound(args, kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def bind_given(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Arguments:
        """Return the given arguments by name, without defaults.

        Raises:
            BindError: if the arguments do not fit.
        """
        return dict(self._bound(args, kwargs).arguments)

    def _bound(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> inspect.BoundArguments:
        try:
            return self.inspected.bind(*args, **kwargs)
        except TypeError as error:
            message = f"{self._name}({', '.join(self.names)}): {error}"
            raise also_prefects(BindError(message), "ParameterBindError") from None

    def unbind(self, arguments: Arguments) -> tuple[tuple[object, ...], Arguments]:
        """Return positional and keyword arguments that bind to `arguments`."""
        if self.is_simple and tuple(arguments) == self.names:
            return tuple(arguments.values()), {}
        bound = inspect.BoundArguments(self.inspected, OrderedDict(arguments))
        return bound.args, bound.kwargs

    def flatten(self, arguments: Arguments) -> Arguments:
        """Move the arguments inside `**kwargs` to the top level."""
        inner = arguments.get(self.keywords or "", {})
        rest = {name: value for name, value in arguments.items() if name != self.keywords}
        return {**rest, **typing.cast(Arguments, inner)}

    def complete(self, flat: Arguments) -> Arguments:
        """Undo `flatten`, and apply the defaults.

        Returns:
            The arguments by name, in the order of the parameters.
        """
        rest = {name: value for name, value in flat.items() if name not in self.names}
        own = {name: value for name, value in flat.items() if name in self.names}
        nested = {**own, self.keywords: rest} if rest and self.keywords else own
        bound = inspect.BoundArguments(self.inspected, OrderedDict(nested))
        bound.apply_defaults()
        return dict(bound.arguments)


def take_call_options(kwargs: Arguments) -> tuple[bool, typing.Any]:
    """Take what a call is given besides the function's arguments out of its keywords.

    Returns:
        `return_state` and `wait_for`.
    """
    return bool(kwargs.pop("return_state", False)), kwargs.pop("wait_for", None)


def _signature(fn: Callable[..., object]) -> inspect.Signature:
    try:
        return inspect.signature(fn)
    except ValueError:
        # `max`, `int` and other functions of C that tell no signature.
        return inspect.signature(lambda *args, **kwargs: None)


def _parameters_of_items(fn: Callable[..., object], signature: inspect.Signature) -> frozenset[str]:
    if not any(p.annotation is not p.empty for p in signature.parameters.values()):
        return frozenset()
    if isinstance(fn, functools.partial):
        fn = fn.func
    if not hasattr(fn, "__qualname__"):  # its attribute `__annotations__` is that of the class
        fn = type(fn).__call__
    try:
        hints = typing.get_type_hints(fn)
    except Exception:  # the names may exist only for type checkers: then compare the text
        hints = {p.name: p.annotation for p in signature.parameters.values()}
    return frozenset(name for name, hint in hints.items() if _holds_item(hint))


def _holds_item(hint: object) -> bool:
    if isinstance(hint, str):
        return hint.replace("prefectx.", "").partition("[")[0].strip() == "Item"
    if hint is Item or typing.get_origin(hint) is Item:
        return True
    return any(_holds_item(part) for part in typing.get_args(hint))

"""A function's parameters: binding the arguments of a call to them, quickly."""

from __future__ import annotations

import inspect
import typing
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from prefectx.item import Item

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Binder:
    """Binds calls to the signature of one function.

    Parameters:
        fn: the function.

    Attributes:
        signature: the function's signature.
        names: the names of its parameters, in their order.
        variadic: the names of its `*args` and `**kwargs`.
        is_simple: whether all parameters can be given by position or by name.
        wants_items: the names of the parameters whose annotation holds `Item`.
    """

    __slots__ = (
        "_defaults",
        "_keywords",
        "is_simple",
        "names",
        "signature",
        "variadic",
        "wants_items",
    )

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.signature = inspect.signature(fn)
        parameters = self.signature.parameters.values()
        self.variadic = frozenset(p.name for p in parameters if p.kind in _VARIADIC)
        self._keywords = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self.wants_items = _parameters_of_items(fn, self.signature)
        self.names = tuple(p.name for p in parameters)
        self._defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.is_simple = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, in the order of the parameters, defaults applied.

        Raises:
            TypeError: where the arguments do not fit, as the function itself would.
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
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def bind_given(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that were given by name, without defaults.

        Raises:
            TypeError: where the arguments do not fit, as the function itself would.
        """
        return dict(self.signature.bind(*args, **kwargs).arguments)

    def unbind(self, arguments: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return positional and keyword arguments that bind to `arguments`."""
        if self.is_simple and tuple(arguments) == self.names:
            return tuple(arguments.values()), {}
        bound = inspect.BoundArguments(self.signature, dict(arguments))
        return bound.args, bound.kwargs

    def flatten(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Put those in `**kwargs` beside the others."""
        flat: dict[str, Any] = {}
        for name, value in arguments.items():
            flat |= value if name == self._keywords else {name: value}
        return flat

    def complete(self, flat: dict[str, Any]) -> dict[str, Any]:
        """Undo `flatten`, and apply the defaults.

        Returns:
            The arguments by name, in the order of the parameters.
        """
        rest = {name: value for name, value in flat.items() if name not in self.names}
        own = {name: value for name, value in flat.items() if name in self.names}
        nested = {**own, self._keywords: rest} if rest and self._keywords else own
        bound = inspect.BoundArguments(self.signature, OrderedDict(nested))
        bound.apply_defaults()
        return dict(bound.arguments)

    def fields(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what a template may name: the arguments, and those in `**kwargs` one by one."""
        return {**arguments.get(self._keywords or "", {}), **arguments}


def _parameters_of_items(fn: Callable[..., Any], signature: inspect.Signature) -> frozenset[str]:
    if not any(p.annotation is not p.empty for p in signature.parameters.values()):
        return frozenset()
    try:
        hints = typing.get_type_hints(fn)
    except Exception:  # names that only a type checker sees; then the words have to do
        hints = {p.name: p.annotation for p in signature.parameters.values()}
    return frozenset(name for name, hint in hints.items() if _holds_item(hint))


def _holds_item(hint: Any) -> bool:
    if isinstance(hint, str):
        return hint.replace("prefectx.", "").strip() == "Item"
    return hint is Item or any(_holds_item(part) for part in typing.get_args(hint))

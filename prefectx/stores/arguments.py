"""Checks the arguments of a store against the constructor of its class."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

from prefectx.errors import ConfigError
from prefectx.item import Store
from prefectx.masking import is_secret, mask

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def checked_arguments(cls: type[Store], given: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of a store, read as the types that its constructor states.

    Parameters:
        cls: the store's class.
        given: the arguments.

    Raises:
        ConfigError: arguments are unknown, missing or of another type; it names all of them.
    """
    parameters = inspect.signature(cls).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    try:
        hints = typing.get_type_hints(cls.__init__)
    except Exception:  # annotations that only a type checker can read
        hints = {}
    mistakes, read = [], dict(given)
    for name, value in given.items():
        if name not in parameters and not takes_all:
            near = get_close_matches(name, parameters, n=1)
            known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(parameters)}"
            mistakes.append(f"unknown argument {name!r}; {known}")
            continue
        kind = _plain_type(hints.get(name))
        if kind is not None and value is not None:
            try:
                read[name] = TypeAdapter(kind).validate_python(
                    value, strict=_is_strict(kind, value)
                )
            except ValidationError:
                shown = "it" if is_secret(name) else mask(repr(value))
                mistakes.append(f"{name}: {shown} is not {_WORDS[kind]}")
    for name, parameter in parameters.items():
        if _is_needed(parameter) and name not in given:
            mistakes.append(f"needs the argument {name!r}")
    if mistakes:
        raise ConfigError(f"the store {cls.__qualname__} cannot be made: {'; '.join(mistakes)}")
    return read


def _plain_type(hint: object) -> type | None:
    """Return the type of an argument if it is text, a number or a truth value, also optional."""
    kinds = [hint]
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [part for part in typing.get_args(hint) if part is not type(None)]
    return next((kind for kind in _WORDS if kinds == [kind]), None)


def _is_strict(kind: type, value: object) -> bool:
    """Tell whether the value must be of the type itself: true is no number, 1 is not true."""
    return kind is str or isinstance(value, bool) or (kind is bool and not isinstance(value, str))


def _is_needed(parameter: inspect.Parameter) -> bool:
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return parameter.kind in by_name and parameter.default is inspect.Parameter.empty

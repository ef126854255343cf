"""A field of a template: which value it names, and the text that stands for the value."""

from __future__ import annotations

import datetime
import re
from _string import formatter_field_name_split  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any, Protocol

from prefectx.errors import TargetError
from prefectx.futures import item_of, item_or
from prefectx.item import Item

# How objects are shown that do not say how: `<Model object at 0x7f0c2a1b3c40>`.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
# A width or a precision, beyond which no name can be.
_WIDEST = 1000
_STANDARD_SPEC = re.compile(
    r"(?:.?[<>=^])?[-+ ]?z?#?0?(\d*)[,_]?(?:\.(\d+)[,_]?)?[a-zA-Z%]?", re.DOTALL
)
_TIME_WIDTH = re.compile(r"%[-_0^#+]*(\d+)")
# What leads from data to the state of the program.
_INTERNAL = (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    GeneratorType,
    ModuleType,
    TracebackType,
)
_NO_VALUES = (*_INTERNAL, BuiltinMethodType, MethodDescriptorType, MethodType, type)
PATH_ATTRIBUTES = frozenset({"stem", "name", "suffix", "parent"})


class Lookup(Protocol):
    """Gives the value of a field, a KeyError if there is none."""

    def __getitem__(self, name: str, /) -> Any: ...


class Part(Protocol):
    """A part of a template that depends on the call, and its name."""

    text: str

    def fill(self, lookup: Any, /) -> str:
        """Return the text that the part stands for."""


class Spec(Protocol):
    """A format specification with fields of its own."""

    def names(self) -> Iterable[str]:
        """Yield the names of the fields."""

    def fill(self, lookup: Lookup, /) -> str:
        """Return the specification for a call."""


class Field:
    """One `{...}` of a template: a name, the attributes and keys behind it, how it is shown."""

    __slots__ = ("conversion", "is_plain", "name", "spec", "steps", "text")

    def __init__(self, text: str, conversion: str | None, spec: str | Spec) -> None:
        self.text = text
        first, rest = formatter_field_name_split(text)
        self.name = str(first)
        self.steps: tuple[tuple[bool, str | int], ...] = tuple(rest)
        self.conversion = conversion
        self.spec = spec
        self.is_plain = not (self.steps or conversion or spec)
        for name in (self.name, *(str(step) for _, step in self.steps)):
            if name.startswith("_"):
                raise TargetError(f"{{{text}}}: names that begin with an underscore are refused")
        if not self.name or self.name.isdigit():
            raise TargetError(f"{{{text}}}: a field needs a name, such as {{path}}")
        if isinstance(spec, str):
            _check_width(text, spec)

    def names(self) -> Iterable[str]:
        """Yield the name, and those of the fields in its format specification."""
        yield self.name
        if not isinstance(self.spec, str):
            yield from self.spec.names()

    def fill(self, lookup: Lookup) -> str:
        """Return the text that the field stands for."""
        value = lookup[self.name]
        if self.is_plain:
            return value if type(value) is str else show(value)
        for is_attribute, step in self.steps:
            value = _attribute(value, str(step)) if is_attribute else _element(value, step)
        if self.conversion:
            value = _CONVERSIONS[self.conversion](value)
        spec = self.spec
        if not isinstance(spec, str):
            spec = spec.fill(lookup)
            _check_width(self.text, spec)
        return _stable(format(value, spec), value) if spec else show(value)


def show(value: Any) -> str:
    """Return the text that stands for a value in a target: of an item its stem.

    Raises:
        ValueError: the text would be an address in memory, another one in each run.
    """
    if type(value) is str:
        return value
    item = item_of(value)
    if item is not None:
        return item.stem
    if isinstance(value, (list, tuple)):
        return "-".join(show(part) for part in value)
    if isinstance(value, (set, frozenset)):
        return "-".join(sorted(show(part) for part in value))
    if isinstance(value, (datetime.datetime, datetime.time)):
        return value.isoformat().replace(":", "")
    return _stable(format(value), value)


def _stable(text: str, value: object) -> str:
    if _ADDRESS.search(text) and not isinstance(value, str):
        raise ValueError(
            f"an object of {type(value).__qualname__} is shown by its address in memory, which"
            " differs in each run; name what identifies it, such as {model.name}, or give the"
            " class a method __str__"
        )
    return text


def explained(part: Part, lookup: Lookup) -> str:
    """Return the text of a part; if there is none, raise a TargetError that says why."""
    field = f"the field {{{part.text}}}"
    try:
        return part.fill(lookup)
    except KeyError:
        names = getattr(lookup, "names", tuple)
        choices = ", ".join(sorted(names()))
        raise TargetError(f"{field} is not there; there is: {choices}") from None
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise TargetError(f"{field} cannot be filled: {error}") from error


def _check_width(text: str, spec: str) -> None:
    standard = _STANDARD_SPEC.fullmatch(spec)
    numbers = standard.groups(default="") if standard else _TIME_WIDTH.findall(spec)
    for number in (number.lstrip("0") for number in numbers):
        if len(number) > 4 or int(number or 0) > _WIDEST:
            raise TargetError(f"{{{text}:{spec}}}: a width can be at most {_WIDEST:,}")


def _attribute(value: Any, name: str) -> Any:
    value = item_or(value)
    if isinstance(value, Item) and name in ("suffix", "parent"):
        value = value.location
    if isinstance(value, str) and name in PATH_ATTRIBUTES:
        value = PurePosixPath(value)
    if isinstance(value, (*_INTERNAL, FunctionType)):
        raise TypeError(f"attributes of a {type(value).__name__} are not followed")
    found = getattr(value, name)
    if isinstance(found, (MethodType, BuiltinMethodType)):
        raise TypeError(f"{name!r} is a method of {type(value).__name__}, not a value")
    return _value(found, name)


def _value(found: Any, name: str | int) -> Any:
    if isinstance(found, _NO_VALUES):
        raise TypeError(f"{name!r} is a {type(found).__name__}, not a value")
    return found


def _element(value: Any, key: str | int) -> Any:
    try:
        return _value(value[key], key)
    except (KeyError, IndexError) as error:
        raise ValueError(f"{type(value).__name__} has no {key!r}") from error


_CONVERSIONS: Mapping[str, Callable[[Any], str]] = {
    "s": show,
    "r": lambda value: _stable(repr(value), value),
    "a": lambda value: _stable(ascii(value), value),
}

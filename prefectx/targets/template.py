"""Target templates: a template and the values of a call make a location; pure."""

from __future__ import annotations

import datetime
import posixpath
import re
import string
from _string import formatter_field_name_split  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import lru_cache
from pathlib import PurePosixPath
from types import BuiltinMethodType, MethodType
from typing import Any, Protocol

from prefectx.errors import TargetError
from prefectx.futures import item_of
from prefectx.item import Item

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATH_ATTRIBUTES = frozenset({"stem", "name", "suffix", "parent"})


class Lookup(Protocol):
    """Gives the value of a field, a KeyError where there is none."""

    def __getitem__(self, name: str) -> Any: ...


class Part(Protocol):
    """A part of a template that depends on the call."""

    def fill(self, lookup: Any) -> str:
        """Return the text that the part stands for."""


class Field:
    """One `{...}` of a template: a name, the attributes and keys behind it, how it is shown."""

    __slots__ = ("conversion", "is_plain", "name", "spec", "steps", "text")

    def __init__(self, text: str, conversion: str | None, spec: str) -> None:
        self.text = text
        first, rest = formatter_field_name_split(text)
        self.name = str(first)
        self.steps: tuple[tuple[bool, Any], ...] = tuple(rest)
        self.conversion = conversion
        self.spec = Template(spec) if "{" in spec else spec
        self.is_plain = not (self.steps or conversion or spec)
        for name in (self.name, *(str(step) for _, step in self.steps)):
            if name.startswith("_"):
                raise TargetError(f"{{{text}}}: names that begin with an underscore are refused")
        if not self.name or self.name.isdigit():
            raise TargetError(f"{{{text}}}: a field needs a name, such as {{path}}")

    def fill(self, lookup: Lookup) -> str:
        """Return the text that the field stands for."""
        value = lookup[self.name]
        if self.is_plain:
            return value if type(value) is str else show(value)
        for is_attribute, step in self.steps:
            value = _attribute(value, step) if is_attribute else _element(value, step)
        if self.conversion:
            value = _CONVERSIONS[self.conversion](value)
        spec = self.spec if isinstance(self.spec, str) else self.spec.fill(lookup)
        return format(value, spec) if spec else show(value)


class Template:
    """A compiled target template.

    Parameters:
        text: a Python format string; it is never evaluated as code.

    Attributes:
        fields: the fields in their order.
        prefix: the text before the first field; whatever is filled in stays under it.
        tail: the text behind the last field.
        is_normal: whether the prefix is in its shortest form.

    Raises:
        TargetError: where the text is no template, or a name begins with an underscore.
    """

    __slots__ = ("fields", "is_normal", "parts", "prefix", "tail", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: list[Any] = _parse(text)
        self.fields = [part for part in self.parts if isinstance(part, Field)]
        first, last = (self.parts[0], self.parts[-1]) if self.parts else ("", "")
        self.prefix = first if isinstance(first, str) else ""
        self.tail = last if isinstance(last, str) else ""
        # Below such a prefix only dots and doubled slashes can lead elsewhere.
        self.is_normal = _is_normal(self.prefix + "x")

    def names(self) -> Iterable[str]:
        """Yield the names of the fields, also of those in format specifications."""
        for field in self.fields:
            yield field.name
            if isinstance(field.spec, Template):
                yield from field.spec.names()

    def holds(self, filled: str) -> bool:
        """Tell whether a filled target is in its shortest form and under the prefix.

        False means that it takes a closer look: `contained`.
        """
        return (
            self.is_normal
            and bool(filled)
            and _is_normal(filled)
            and (filled[0] != "/" or self.prefix[:1] == "/")
        )

    def fold(self, known: Mapping[str, str | Part]) -> Template:
        """Return the same template with some fields filled for good, or in another way.

        Its prefix is that of the whole template: what is folded was a field.

        Parameters:
            known: for the name of a field its text, or what fills it in its place.
        """
        folded = copy(self)
        folded.parts = []
        for part in self.parts:
            if isinstance(part, Field) and part.is_plain:
                part = known.get(part.name, part)
            if isinstance(part, str) and folded.parts and isinstance(folded.parts[-1], str):
                folded.parts[-1] += part
            else:
                folded.parts.append(part)
        folded.fields = [part for part in folded.parts if isinstance(part, Field)]
        return folded

    def fill(self, lookup: Lookup) -> str:
        """Fill the fields.

        Raises:
            TargetError: where a field is missing or a value has no such attribute or key.
        """
        try:
            return "".join([p if type(p) is str else p.fill(lookup) for p in self.parts])
        except (LookupError, AttributeError, TypeError, ValueError):
            return "".join([p if isinstance(p, str) else self._fill(p, lookup) for p in self.parts])

    def _fill(self, field: Field, lookup: Lookup) -> str:
        try:
            return field.fill(lookup)
        except KeyError:
            choices = ", ".join(
                sorted(names()) if (names := getattr(lookup, "names", None)) else ()
            )
            raise TargetError(
                f"the field {{{field.text}}} is not there; there is: {choices}"
            ) from None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise TargetError(f"the field {{{field.text}}} cannot be filled: {error}") from error


@lru_cache(maxsize=4096)
def compile_template(text: str) -> Template:
    """Return the compiled template; the same object for the same text."""
    return Template(text)


def contained(template: Template, filled: str) -> str:
    """Return the filled target in its shortest form.

    Parameters:
        template: what was filled.
        filled: the result of `template.fill`.

    Raises:
        TargetError: where the values lead out of the part before the first field, or name no
            file at all.
    """
    if template.holds(filled):
        return filled
    scheme, path = _split_scheme(filled)
    prefix_scheme, prefix = _split_scheme(template.prefix)
    if "\0" in path:
        raise TargetError(f"{filled!r} holds a null character")
    path = _normal(path) if path else path
    if path.endswith("/") or path in ("", ".") or scheme != prefix_scheme:
        raise TargetError(f"{filled!r} is not the name of a file")
    if not _is_under(path, prefix):
        raise TargetError(
            f"{filled!r} leads out of {template.prefix or 'the root'!r}, the part of the template"
            " before the first field"
        )
    return scheme + path


def _is_normal(path: str) -> bool:
    return not ("/." in path or "//" in path or "\0" in path or path[0] == "." or path[-1] == "/")


def _is_under(path: str, prefix: str) -> bool:
    if not prefix:
        return not (path.startswith(("/", "../")) or path == "..")
    folder, _, name = prefix.rpartition("/")
    if not folder:
        return path.startswith(prefix) and (bool(name) or path.startswith("/"))
    folder = _normal(folder)
    return path.startswith(f"{folder}/{name}" if folder != "." else name)


def _normal(path: str) -> str:
    ending = "/" if path.endswith(("/", "/.", "/..")) else ""
    normal = posixpath.normpath(path)
    return (normal[1:] if normal.startswith("//") else normal) + ending


def _split_scheme(path: str) -> tuple[str, str]:
    match = _SCHEME.match(path)
    return (match.group(), path[match.end() :]) if match else ("", path)


def _parse(text: str) -> list[str | Field]:
    parts: list[str | Field] = []
    try:
        for literal, field, spec, conversion in string.Formatter().parse(text):
            if literal:
                parts.append(literal)
            if field is not None:
                parts.append(Field(field, conversion, spec or ""))
    except ValueError as error:
        raise TargetError(f"{text!r} is not a template: {error}") from error
    return parts


def _attribute(value: Any, name: str) -> Any:
    value = item_of(value) or value
    if isinstance(value, Item) and name in ("suffix", "parent"):
        value = value.location
    if isinstance(value, str) and name in _PATH_ATTRIBUTES:
        value = PurePosixPath(value)
    found = getattr(value, name)
    if isinstance(found, (MethodType, BuiltinMethodType)):
        raise TypeError(f"{name!r} is a method of {type(value).__name__}, not a value")
    return found


def _element(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError) as error:
        raise ValueError(f"{type(value).__name__} has no {key!r}") from error


def show(value: Any) -> str:
    """Return the text that stands for a value in a target: of an item its stem."""
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
    return format(value)


_CONVERSIONS: Mapping[str, Callable[[Any], str]] = {"s": show, "r": repr, "a": ascii}

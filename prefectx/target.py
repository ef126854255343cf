"""Target templates: a template and the values of a call make a location; pure."""

from __future__ import annotations

import datetime
import posixpath
import re
import string
from _string import formatter_field_name_split  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import PurePath, PurePosixPath
from types import BuiltinMethodType, MethodType
from typing import Any, Protocol

from prefectx.errors import TargetError
from prefectx.fingerprint import short_hash
from prefectx.futures import item_of
from prefectx.item import Item

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATH_ATTRIBUTES = frozenset({"stem", "name", "suffix", "parent"})


class Lookup(Protocol):
    """Gives the value of a field, a KeyError where there is none."""

    def __getitem__(self, name: str) -> Any: ...


class Field:
    """One `{...}` of a template: a name, the attributes and keys behind it, how it is shown."""

    __slots__ = ("conversion", "name", "spec", "steps", "text")

    def __init__(self, text: str, conversion: str | None, spec: str) -> None:
        self.text = text
        first, rest = formatter_field_name_split(text)
        self.name = str(first)
        self.steps: tuple[tuple[bool, Any], ...] = tuple(rest)
        self.conversion = conversion
        self.spec = Template(spec) if "{" in spec else spec
        for name in (self.name, *(str(step) for _, step in self.steps)):
            if name.startswith("_"):
                raise TargetError(f"{{{text}}}: names that begin with an underscore are refused")
        if not self.name or self.name.isdigit():
            raise TargetError(f"{{{text}}}: a field needs a name, such as {{path}}")

    def fill(self, lookup: Lookup) -> str:
        """Return the text that the field stands for."""
        value = lookup[self.name]
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

    Raises:
        TargetError: where the text is no template, or a name begins with an underscore.
    """

    __slots__ = ("fields", "parts", "prefix", "tail", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts = _parse(text)
        self.fields = [part for part in self.parts if isinstance(part, Field)]
        first, last = (self.parts[0], self.parts[-1]) if self.parts else ("", "")
        self.prefix = first if isinstance(first, str) else ""
        self.tail = last if isinstance(last, str) else ""

    def names(self) -> Iterable[str]:
        """Yield the names of the fields, also of those in format specifications."""
        for field in self.fields:
            yield field.name
            if isinstance(field.spec, Template):
                yield from field.spec.names()

    def shows(self, name: str) -> bool:
        """Tell whether the whole of the value `name` stands in the template."""
        return any(f.name == name and not f.steps and not f.spec for f in self.fields)

    def fill(self, lookup: Lookup) -> str:
        """Fill the fields.

        Raises:
            TargetError: where a field is missing or a value has no such attribute or key.
        """
        return "".join(
            [p if type(p) is str else self._fill(p, lookup) for p in self.parts]  # type: ignore[arg-type]
        )

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
    scheme, path = _split_scheme(filled)
    prefix_scheme, prefix = _split_scheme(template.prefix)
    if "\0" in path:
        raise TargetError(f"{filled!r} holds a null character")
    if ".." in path or "//" in path or "/." in path:
        path = _normal(path)
    if path.endswith("/") or path in ("", ".") or scheme != prefix_scheme:
        raise TargetError(f"{filled!r} is not the name of a file")
    if not _is_under(path, prefix):
        raise TargetError(
            f"{filled!r} leads out of {template.prefix or 'the root'!r}, the part of the template"
            " before the first field"
        )
    return scheme + path


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

# --- the automatic base

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,39}")
_AMBIGUOUS = re.compile(r"None|True|False|nan|inf|[0-9a-f]{8}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.=+-]+")
_LONGEST = 80


def automatic_base(
    arguments: Mapping[str, Any], *, hidden: Iterable[str] = (), default: str
) -> str:
    """Make a readable name from the arguments of a call; different calls get different names.

    Parameters:
        arguments: name to value, in the order of the function's parameters, defaults applied.
        hidden: names of arguments that are not shown, such as `self` and empty `*args`; where
            their value is not empty they count in the hash.
        default: the name of a call without arguments.

    Returns:
        `a.csv-3`, and with a short hash of all arguments behind it wherever the readable form
        could mean another call too: `a.csv-3-5f0c9a1e`.
    """
    shown = {name: value for name, value in arguments.items() if name not in hidden}
    plain = [_plain(value) for value in shown.values()]
    exact = None not in plain and not any(
        name in hidden and value not in ((), {}) for name, value in arguments.items()
    )
    if exact:
        name = "-".join(part for part in plain if part is not None) or default
        if len(name) <= _LONGEST:
            return name
    readable = "-".join(_readable(value) for value in shown.values())[:_LONGEST].strip("-.")
    return f"{readable or default}-{short_hash(arguments)}"


def _plain(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        fits = _PLAIN.fullmatch(value) and not _AMBIGUOUS.fullmatch(value)
        return value if fits else None
    if value is None or kind is bool or kind is int:
        text = str(value)
        return text if len(text) <= 20 else None
    if kind is float:
        text = repr(value)
        return text if re.fullmatch(r"-?[0-9]+\.[0-9]+", text) else None
    return None


def _readable(value: Any) -> str:
    if isinstance(value, (str, PurePath)):
        text = str(value).rstrip("/").rpartition("/")[2]
    elif isinstance(value, (list, tuple, int, float, datetime.date)) or item_of(value):
        text = show(value)
    elif value is None:
        text = "None"
    else:
        text = type(value).__name__
    return _UNSAFE.sub("_", text)[:40]

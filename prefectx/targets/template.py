"""Target templates: a template and the values of a call make a location; pure."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from copy import copy
from functools import lru_cache

from prefectx.errors import TargetError
from prefectx.targets.containment import contained
from prefectx.targets.field import Field, Lookup, Part, explained


class Template:
    """A compiled target template.

    Parameters:
        text: a Python format string; it is never evaluated as code.

    Attributes:
        parts: text and fields in order.
        prefix: the text before the first field; whatever is filled in stays under it.
        tail: the text behind the last field.

    Raises:
        TargetError: if the text is no template, or a name begins with an underscore.
    """

    __slots__ = ("parts", "prefix", "tail", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: list[str | Part] = []
        try:
            for literal, field, spec, conversion in string.Formatter().parse(text):
                if literal:
                    self.parts.append(literal)
                if field is not None:
                    self.parts.append(
                        Field(
                            field,
                            conversion,
                            Template(spec) if spec and "{" in spec else spec or "",
                        )
                    )
        except ValueError as error:
            raise TargetError(f"{text!r} is not a template: {error}") from error
        first, last = (self.parts[0], self.parts[-1]) if self.parts else ("", "")
        self.prefix = first if isinstance(first, str) else ""
        self.tail = last if isinstance(last, str) else ""

    def names(self) -> Iterable[str]:
        """Yield the names of the fields, also of those in format specifications."""
        for part in self.parts:
            if isinstance(part, Field):
                yield from part.names()

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
        return folded

    def fill(self, lookup: Lookup) -> str:
        """Fill the fields.

        Raises:
            TargetError: if a field is missing or a value has no such attribute or key.
        """
        try:
            return "".join([p if isinstance(p, str) else p.fill(lookup) for p in self.parts])
        except (LookupError, AttributeError, TypeError, ValueError):
            # Once more, to know which field it was.
            return "".join([p if isinstance(p, str) else explained(p, lookup) for p in self.parts])

    def locate(self, lookup: Lookup) -> str:
        """Fill the template and return the target in its shortest form.

        Raises:
            TargetError: if it cannot be filled, or leads out of the part before the first field.
        """
        is_folder = self.text.endswith("/")
        return contained(self.prefix, self.fill(lookup), is_folder=is_folder)


compile_template = lru_cache(maxsize=4096)(Template)
"""Return the compiled template of a text; the same object for the same text."""

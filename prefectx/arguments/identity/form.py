"""Form: what identifies one value, without what its parts are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

ATOMS = frozenset({str, int, float, bool, bytes, complex, type(None)})
"""The types whose values have no parts. Subclasses do not belong to them."""


class Form(NamedTuple):
    """What identifies a value: two values with equal forms are the same.

    Attributes:
        tag: the kind of value, different for each maker of forms.
        parts: atoms, other values and further forms.
        is_unordered: whether the order of the parts does not count.
        place: a path or URL that counts relative to the root.
        library: name and version of what decides about the parts; it counts.
    """

    tag: str
    parts: Sequence[object] = ()
    is_unordered: bool = False
    place: str | None = None
    library: str | None = None


# Any: a maker knows the type that it is registered for.
Maker = Callable[[Any], Form]


class Unidentifiable(Exception):  # noqa: N818  # a finding, not a failure: its callers decide
    """A value that cannot be told from another of its type.

    Attributes:
        kind: the type of the value.
        path: the way to it from the value that was asked for: `[0].lock`, empty for that itself.
        reason: why, None if it is clear from the type.
    """

    def __init__(self, value: object, reason: str | None = None) -> None:
        super().__init__(type(value), reason)
        self.kind = type(value)
        self.reason = reason
        self.path = ""

    def __str__(self) -> str:
        where = f"{self.path} " if self.path else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{where}of type {self.kind.__qualname__}{why}"

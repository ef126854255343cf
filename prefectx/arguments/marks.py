"""Marks on arguments: `unmapped`, `allow_failure`, `quote`; Prefect's marks count as well."""

from __future__ import annotations

import sys
from typing import Generic, Self, TypeGuard, TypeVar

T = TypeVar("T")


class Mark(Generic[T]):
    """A value with a mark on it."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def unwrap(self) -> T:
        """Return the value without the mark."""
        return self.value

    def rewrap(self, value: T) -> Self:
        """Return another value with the same mark."""
        return type(self)(value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self), self.value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class unmapped(Mark[T]):  # noqa: N801  # Prefect's name
    """In `.map`: every call gets the whole value."""

    __slots__ = ()


class allow_failure(Mark[T]):  # noqa: N801  # Prefect's name
    """The call runs even if this input failed, and gets the exception instead of its data."""

    __slots__ = ()


class quote(Mark[T]):  # noqa: N801  # Prefect's name
    """The value is passed unchanged: futures and items in it are not resolved."""

    __slots__ = ()


def is_marked(value: object, mark: type[Mark[object]]) -> TypeGuard[Mark[object]]:
    """Tell whether a value has this mark, ours or Prefect's of the same name."""
    if isinstance(value, mark):
        return True
    prefect = sys.modules.get("prefect.utilities.annotations")
    return prefect is not None and isinstance(value, getattr(prefect, mark.__name__))


def is_annotated(value: object) -> TypeGuard[Mark[object]]:
    """Tell whether a value has any mark."""
    if isinstance(value, Mark):
        return True
    prefect = sys.modules.get("prefect.utilities.annotations")
    return prefect is not None and isinstance(value, prefect.BaseAnnotation)

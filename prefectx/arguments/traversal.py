"""Walking through nested values: lists, tuples, dicts, sets and dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

ATOMS = frozenset({str, int, float, bool, bytes, complex, type(None)})
_SEQUENCES = (list, tuple, set, frozenset)


def are_atoms(values: Iterable[Any]) -> bool:
    """Tell whether there is nothing to look into."""
    for value in values:  # noqa: SIM110  # all() takes twice as long
        if type(value) not in ATOMS:
            return False
    return True


def replace(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Replace the leaves of a nested value.

    Parameters:
        value: lists, tuples, dicts (their values), sets and dataclasses are entered; anything
            else, and anything that `leaf` changes, is a leaf.
        leaf: gives what a value is to be replaced with, or the same object to leave it.

    Returns:
        `value` itself where nothing was replaced, else a copy of the containers on the way.
    """
    if type(value) in ATOMS:
        return value
    changed = leaf(value)
    if changed is not value:
        return changed
    if isinstance(value, _SEQUENCES):
        return _replace_sequence(value, leaf)
    if isinstance(value, dict):
        return _replace_mapping(value, leaf)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _replace_dataclass(value, leaf)
    return value


def _replace_sequence(value: Any, leaf: Callable[[Any], Any]) -> Any:
    parts = [replace(part, leaf) for part in value]
    if all(new is old for new, old in zip(parts, value, strict=True)):
        return value
    if hasattr(value, "_make"):
        return value._make(parts)
    return next(kind for kind in _SEQUENCES if isinstance(value, kind))(parts)


def _replace_mapping(value: dict[Any, Any], leaf: Callable[[Any], Any]) -> Any:
    parts = {key: replace(part, leaf) for key, part in value.items()}
    if all(parts[key] is part for key, part in value.items()):
        return value
    if type(value) is dict:
        return parts
    copy = value.copy()
    copy.update(parts)
    return copy


def _replace_dataclass(value: Any, leaf: Callable[[Any], Any]) -> Any:
    old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    new = {name: replace(part, leaf) for name, part in old.items()}
    changes = {
        field.name: new[field.name]
        for field in dataclasses.fields(value)
        if field.init and new[field.name] is not old[field.name]
    }
    return dataclasses.replace(value, **changes) if changes else value

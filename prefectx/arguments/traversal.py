"""Walking through nested values: each part once, however often it is shared, circles included."""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MappingProxyType
from typing import Any

from prefectx.arguments.identity.form import ATOMS as ATOMS
from prefectx.futures import Future, FutureList
from prefectx.item import Item

# Collections whose parts are known only when they are made; all others can be filled later.
_IMMUTABLE = (tuple, frozenset)


def are_atoms(values: Iterable[object]) -> bool:
    """Tell whether there is nothing to look into."""
    return ATOMS.issuperset(map(type, values))


def replace(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Replace the leaves of a nested value.

    Parameters:
        value: lists, tuples, dicts (their values), sets, deques, mapping proxies, dataclasses,
            pydantic models and attrs objects are entered, their subclasses too; anything else,
            and anything that `leaf` changes, is a leaf.
        leaf: gives what a value is to be replaced with, or the same object to leave it. It is
            called once for each object.

    Returns:
        `value` itself if nothing was replaced, else a copy of the containers on the way.
    """
    if type(value) in ATOMS:
        return value
    if issubclass(type(value), (Item, Future)):
        return leaf(value)
    walk = _Replacement(leaf)
    walk.scan(value)
    return walk.rebuilt(value) if walk.is_changed else value


class _Container:
    """A value that is entered.

    Attributes:
        value: the value.
        names: the keys or attribute names of its parts, None if they have none.
        parts: its parts.
    """

    __slots__ = ("names", "parts", "value")

    def __init__(self, value: object, names: Sequence[Any] | None, parts: Sequence[object]) -> None:
        self.value = value
        self.names = names
        self.parts = parts


class _Replacement:
    """Replaces leaves in two passes: the first looks what changes, the second makes copies.

    Parameters:
        leaf: gives what a value is to be replaced with.

    Attributes:
        is_changed: whether a leaf was replaced.
    """

    def __init__(self, leaf: Callable[[Any], Any]) -> None:
        self.is_changed = False
        self._leaf = leaf
        self._containers: dict[int, _Container] = {}
        # By the id of the old value; of a container as soon as there is a copy to refer to.
        self._new: dict[int, object] = {}
        # By the same id what takes the parts: of a mapping proxy the dict behind it.
        self._open: dict[int, Any] = {}
        # Keeps the ids of what was seen.
        self._seen: dict[int, object] = {}

    def scan(self, value: object) -> None:
        """Look at each part of a value once."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if type(part) in ATOMS or id(part) in self._seen:
                continue
            self._seen[id(part)] = part
            changed = self._leaf(part)
            if changed is not part:
                self._new[id(part)] = changed
                self.is_changed = True
                continue
            container = _enter(part)
            if container is not None and not are_atoms(container.parts):
                self._containers[id(part)] = container
                waiting += reversed(container.parts)

    def rebuilt(self, value: object) -> object:
        """Return the value with all leaves replaced."""
        copied = self._with_changes()
        late: deque[_Container] = deque()
        path: list[tuple[_Container, Iterator[object]]] = []
        entered: set[int] = set()

        def enter(part: object) -> None:
            if id(part) in copied and id(part) not in entered:
                entered.add(id(part))
                container = self._containers[id(part)]
                if not isinstance(part, _IMMUTABLE):
                    self._copy(part)
                path.append((container, iter(container.parts)))

        enter(value)
        while path:
            container, rest = path[-1]
            part = next(rest, path)
            if part is not path:
                enter(part)
            else:
                path.pop()
                if not self._finish(container, copied):
                    late.append(container)
        # What refers to a tuple that refers to it waits for the tuple.
        while late:
            container = late.popleft()
            if not self._finish(container, copied):
                late.append(container)
        return self._new.get(id(value), value)

    def _copy(self, value: Any) -> None:
        """Make a copy that is filled later."""
        key = id(value)
        if isinstance(value, MappingProxyType):
            self._open[key] = value.copy()
            self._new[key] = MappingProxyType(self._open[key])
        else:
            self._new[key] = list(value) if _is_futures(value) else copy.copy(value)
            self._open[key] = self._new[key]

    def _with_changes(self) -> set[int]:
        """Return the ids of the containers from which a replaced leaf is reached."""
        parents: dict[int, list[int]] = {}
        for key, container in self._containers.items():
            for part in container.parts:
                if id(part) in self._seen:
                    parents.setdefault(id(part), []).append(key)
        changed: set[int] = set()
        waiting = list(self._new)
        while waiting:
            for key in parents.get(waiting.pop(), ()):
                if key not in changed:
                    changed.add(key)
                    waiting.append(key)
        return changed

    def _finish(self, container: _Container, copied: set[int]) -> bool:
        """Make or fill the copy of a container; False if a part of it has no copy yet."""
        old, new = container.parts, self._new
        if any(id(part) in copied and id(part) not in new for part in old):
            return False
        parts = [new.get(id(part), part) if type(part) not in ATOMS else part for part in old]
        if isinstance(container.value, _IMMUTABLE):
            new[id(container.value)] = _made(container.value, parts)
        else:
            _fill(self._open[id(container.value)], container, parts)
        return True


def _enter(value: Any) -> _Container | None:
    """Return what is in a value, None if it is not entered."""
    if isinstance(value, (list, tuple)):
        return _Container(value, None, value)
    if isinstance(value, (dict, MappingProxyType)):
        return _Container(value, tuple(value), tuple(value.values()))
    if isinstance(value, (set, frozenset, deque)):
        return _Container(value, None, tuple(value))
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        names = [field.name for field in dataclasses.fields(value)]
    elif hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__]
    elif "pydantic" in sys.modules and isinstance(value, sys.modules["pydantic"].BaseModel):
        names = [*value.__dict__, *(value.__pydantic_extra__ or ())]
    else:
        return None
    names = [name for name in names if hasattr(value, name)]
    return _Container(value, names, [getattr(value, name) for name in names])


def _made(value: Any, parts: list[object]) -> object:
    """Make a copy of a tuple or frozenset with other parts."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return kind(parts)
    base = tuple if isinstance(value, tuple) else frozenset
    made = base.__new__(kind, parts)
    if hasattr(value, "__dict__"):
        made.__dict__.update(value.__dict__)
    return made


def _fill(new: Any, container: _Container, parts: list[object]) -> None:
    """Put other parts into a copy."""
    value = container.value
    if isinstance(value, list):
        list.__setitem__(new, slice(None), parts)
    elif isinstance(value, (dict, MappingProxyType)):
        for name, part, old in zip(container.names or (), parts, container.parts, strict=True):
            if part is not old:
                new[name] = part
    elif isinstance(value, (set, deque)):
        new.clear()
        (new.update if isinstance(value, set) else new.extend)(parts)
    else:
        for name, part, old in zip(container.names or (), parts, container.parts, strict=True):
            if part is not old:
                _set_attribute(new, name, part)


def _set_attribute(new: Any, name: str, value: object) -> None:
    """Set an attribute, of what is frozen too, without what the class would do then."""
    extra = getattr(new, "__pydantic_extra__", None)
    if extra is not None and name in extra:
        extra[name] = value
    elif name in getattr(new, "__dict__", ()):
        new.__dict__[name] = value
    else:
        object.__setattr__(new, name, value)


def _is_futures(value: object) -> bool:
    """Tell whether a list holds futures and knows it, ours or Prefect's: their data need none."""
    prefect = sys.modules.get("prefect.futures")
    return isinstance(value, (FutureList, getattr(prefect, "PrefectFutureList", FutureList)))

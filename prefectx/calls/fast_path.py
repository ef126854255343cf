"""The fast path for calls with scalar arguments: bind, fill and look, and make nothing else.

It is an optimisation of `make_call`, `look` and `decide`: for any other call, and wherever
something is wrong, it has no answer, and these have one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.lineages import Lineages
from prefectx.calls.target_owners import AMBIGUOUS, Callee, Owner, target_owners
from prefectx.errors import StoreError, TargetError
from prefectx.item import Store
from prefectx.run_context import VALUES
from prefectx.targets.containment import is_normal
from prefectx.targets.field import Field
from prefectx.targets.template import Template

Row = tuple[Any, ...]
_TEXT = frozenset({str, bytes})
# Longer texts are remembered by a fingerprint, not kept.
_LONG = 256


class FastPath:
    """Finds the outputs of the calls of one task.

    Parameters:
        callee: where the function is defined, and the names of its parameters.
        bind: binds arguments to them.
        template: the target, which the arguments suffice to fill.
        store: where the outputs are kept; its locations are targets with a text before them.
        before: that text.
        shared: whether different calls may have one target.
        lineages: tells whether outputs are out of date, None if nothing is recorded.

    Attributes:
        store: where the outputs are kept.
    """

    __slots__ = (
        "_arity",
        "_before",
        "_bind",
        "_callee",
        "_fill",
        "_is_absolute",
        "_is_checked",
        "_lineages",
        "_owners",
        "_shared",
        "store",
    )

    def __init__(
        self,
        callee: Callee,
        bind: Callable[[Row, Mapping[str, object]], Arguments],
        template: Template,
        store: Store,
        before: str,
        shared: bool,
        lineages: Lineages | None,
    ) -> None:
        self.store = store
        self._callee = callee
        self._bind = bind
        self._arity = len(callee.names)
        self._before = before
        owners = target_owners()
        self._owners = owners, owners.of_store(store)
        self._shared = shared
        self._lineages = lineages
        self._is_absolute = template.prefix[:1] == "/"
        # Below another prefix a target has to be looked at more closely.
        self._fill = _filler(template, callee.names) if is_normal(f"{template.prefix}x") else None
        # Numbers change nothing in the form of a target: one stands for all.
        self._is_checked = not self._is_contained((0,) * len(callee.names))

    def find(self, args: Row, kwargs: Mapping[str, object]) -> tuple[Row, str | None, bool]:
        """Return all arguments, where the output is kept (None if unknown), whether it exists.

        Parameters:
            args: the positional arguments of the call.
            kwargs: its keyword arguments.

        Raises:
            TypeError: if the arguments do not fit the function.
        """
        if kwargs or len(args) != self._arity:
            args = tuple(self._bind(args, kwargs).values())
        location = self._location(args)
        try:
            if location is None or not self.store.exists(location):
                return args, location, False
        except StoreError:
            return args, None, False
        return self._if_current(args, location)

    def _if_current(self, values: Row, location: str) -> tuple[Row, str | None, bool]:
        lineages = self._lineages
        if lineages is None or lineages.is_current(location, self._callee.names, values):
            return values, location, True
        return values, None, False

    def find_many(self, rows: Sequence[Row]) -> tuple[list[str | None], set[str]]:
        """Do what `find` does for many calls; the store is asked once for all.

        Parameters:
            rows: of each call the arguments in the order of the parameters, defaults applied.

        Returns:
            The location of each call, None if unknown, and those that exist.
        """
        locations = [self._location(row) for row in rows]
        try:
            found = self.store.exists_many([place for place in locations if place is not None])
        except StoreError:
            return [None] * len(rows), set()
        lineages, names = self._lineages, self._callee.names
        if lineages is not None:
            locations = [
                location
                if location not in found or lineages.is_current(location, names, row)
                else None
                for location, row in zip(locations, rows, strict=True)
            ]
        return locations, found

    def _location(self, values: Row) -> str | None:
        is_text, is_ambiguous = self._is_checked, False
        for value in values:
            kind = type(value)
            if kind is not int:
                if kind not in ATOMS or (kind in _TEXT and len(value) > _LONG):
                    return None
                is_text = True
                is_ambiguous = is_ambiguous or kind in AMBIGUOUS
        if self._fill is None or VALUES.here.get() or VALUES.everywhere:
            return None
        try:
            filled = self._fill(values)
        except (TargetError, ValueError):
            return None
        if is_text and not (is_normal(filled) and (self._is_absolute or filled[0] != "/")):
            return None
        location = self._before + filled
        if not self._shared:
            owner: Owner = (self._callee, values)
            if is_ambiguous:
                owner = (self._callee, values, repr(values))
            owners, of_store = self._owners
            if owners is not target_owners():
                owners = target_owners()
                of_store = owners.of_store(self.store)
                self._owners = owners, of_store
            first = of_store.setdefault(location, owner)
            if first is not owner and first != owner:
                return None
        return location

    def _is_contained(self, values: Row) -> bool:
        try:
            filled = self._fill(values) if self._fill is not None else ""
        except (TargetError, ValueError):
            return False
        return is_normal(filled) and (self._is_absolute or filled[0] != "/")


class NoFastPath(FastPath):
    """Knows of no call: all take the long way.

    Parameters:
        store: where the outputs are kept.
    """

    __slots__ = ()

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, args: Row, kwargs: Mapping[str, object]) -> tuple[Row, str | None, bool]:
        """Return that nothing is known."""
        return args, None, False

    def find_many(self, rows: Sequence[Row]) -> tuple[list[str | None], set[str]]:
        """Return that nothing is known."""
        return [None] * len(rows), set()


def _filler(template: Template, names: tuple[str, ...]) -> Callable[[Row], str]:
    """Return what fills the template with the values of these names, which are scalars."""
    parts = template.parts
    if not all(
        isinstance(part, str) or (isinstance(part, Field) and part.is_plain) for part in parts
    ):
        return lambda values: template.fill(dict(zip(names, values, strict=True)))
    pattern = "".join(p.replace("%", "%%") if isinstance(p, str) else "%s" for p in parts)
    picked = [names.index(part.name) for part in parts if isinstance(part, Field)]
    if picked == list(range(len(names))):
        return pattern.__mod__
    return lambda values: pattern % tuple([values[position] for position in picked])

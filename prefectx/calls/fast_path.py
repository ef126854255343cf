"""The short way to a finished call: bind, fill, look, return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefectx.arguments.traversal import ATOMS
from prefectx.calls.target_owners import CLAIMS, Claim
from prefectx.errors import StoreError, TargetError
from prefectx.item import Store
from prefectx.runtime import current_values
from prefectx.targets.template import Field, Template

Row = tuple[Any, ...]


class Finder:
    """Finds where the outputs of finished calls of one task are, and makes nothing else.

    It knows calls whose arguments are atoms. For any other call, and wherever something is wrong,
    it has no answer: then the long way (`make_call`) does the same with all that may be in a
    call, and has the words for what is wrong.

    Parameters:
        signature: where the function is defined, and the names of its parameters.
        bind: binds arguments to them.
        template: the target, which the arguments suffice for.
        store: where the outputs are kept; its locations are targets with something before them.
        before: that something.
        shared: whether different calls may have one target.

    Attributes:
        store: where the outputs are kept.
    """

    __slots__ = (
        "_arity",
        "_before",
        "_bind",
        "_fill",
        "_holds",
        "_owners",
        "_shared",
        "_signature",
        "store",
    )

    def __init__(
        self,
        signature: tuple[str, tuple[str, ...]],
        bind: Callable[[Row, Mapping[str, Any]], dict[str, Any]],
        template: Template,
        store: Store,
        before: str,
        shared: bool,
    ) -> None:
        self._signature = signature
        self._bind = bind
        self._arity = len(signature[1])
        self._fill = _filler(template, signature[1])
        self._holds = template.holds
        self.store = store
        self._before = before
        self._owners = CLAIMS.owners(store)
        self._shared = shared

    def find(self, args: Row, kwargs: Mapping[str, Any]) -> str | None:
        """Return where the output of a finished call is; None where it is not known to be.

        Parameters:
            args: the arguments of the function, as they were given.
            kwargs: likewise.

        Raises:
            TypeError: where the arguments do not fit the function.
        """
        if kwargs or len(args) != self._arity:
            args = tuple(self._bind(args, kwargs).values())
        location = self._location(args)
        try:
            if location is not None and self.store.exists(location):
                return location
        except StoreError:
            return None
        return None

    def find_many(self, rows: Sequence[Row]) -> list[str | None]:
        """Do what `find` does for many calls; the store is asked once for all.

        Parameters:
            rows: of each call the arguments in the order of the parameters, defaults applied.
        """
        locations = [self._location(row) for row in rows]
        try:
            found = self.store.exists_many([place for place in locations if place is not None])
        except StoreError:
            return [None] * len(rows)
        return [place if place in found else None for place in locations]

    def _location(self, values: Row) -> str | None:
        is_free = False
        for value in values:
            kind = type(value)
            if kind is not int:
                if kind not in ATOMS:
                    return None
                is_free = True
        if current_values():
            return None
        try:
            filled = self._fill(values)
        except (TargetError, ValueError):
            return None
        if is_free and not self._holds(filled):
            return None
        location = self._before + filled
        if not self._shared:
            claim: Claim = (self._signature, values)
            owner = self._owners.setdefault(location, claim)
            if owner is not claim and owner != claim:
                return None
        return location


class NoFinder(Finder):
    """Knows of no call: all go the long way.

    Parameters:
        store: where the outputs are kept.
    """

    __slots__ = ()

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, args: Row, kwargs: Mapping[str, Any]) -> str | None:
        """Return None."""
        return None

    def find_many(self, rows: Sequence[Row]) -> list[str | None]:
        """Return None for each."""
        return [None] * len(rows)


def _filler(template: Template, names: tuple[str, ...]) -> Callable[[Row], str]:
    """Return what fills the template with the values of these names, which are atoms."""
    parts = template.parts
    if not all(isinstance(part, str) or _is_plain(part) for part in parts):
        return lambda values: template.fill(dict(zip(names, values, strict=True)))
    pattern = "".join(p.replace("%", "%%") if isinstance(p, str) else "%s" for p in parts)
    picked = [names.index(part.name) for part in parts if isinstance(part, Field)]
    if picked == list(range(len(names))):
        return pattern.__mod__
    return lambda values: pattern % tuple([values[position] for position in picked])


def _is_plain(part: Any) -> bool:
    return isinstance(part, Field) and part.is_plain

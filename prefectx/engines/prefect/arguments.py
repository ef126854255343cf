"""Converts arguments for Prefect: our marks become Prefect's, finished calls their items.

Prefect resolves the futures in lists, tuples, dicts and some other collections only. An argument
with futures elsewhere, as in a deque or an attrs class, goes to it as `Parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast

from prefect.futures import PrefectFuture
from prefect.utilities import annotations as stock

from prefectx.arguments.marks import Mark, allow_failure, is_annotated, is_marked, quote, unmapped
from prefectx.arguments.references import holds_references, outcome, result
from prefectx.arguments.traversal import ATOMS, replace
from prefectx.engines.local.futures import OverFuture
from prefectx.engines.local.pending import PendingFuture
from prefectx.engines.prefect.futures import SkippedFuture
from prefectx.engines.protocol import WaitFor
from prefectx.futures import Future

_MARKS: tuple[tuple[type[Mark[object]], Callable[[object], object]], ...] = (
    (unmapped, stock.unmapped),
    (allow_failure, stock.allow_failure),
    (quote, stock.quote),
)


def for_prefect(value: object) -> object:
    """Replace our marks and the futures of finished calls in an argument."""
    replaced = replace(value, _for_prefect)
    return replaced if _is_resolved_by_prefect(replaced, set()) else _parts(replaced)


@dataclass
class Parts:
    """An argument in two parts.

    Attributes:
        pending: its futures, which Prefect resolves here.
        rest: the argument with places instead of them, where Prefect does not look.
    """

    pending: list[object]
    rest: _Opaque

    def joined(self) -> object:
        """Return the argument with what has become of its futures."""
        return replace(
            self.rest.value,
            lambda value: self.pending[value.number] if isinstance(value, _Place) else value,
        )


class _Place(NamedTuple):
    number: int


class _Opaque:
    """What Prefect does not enter."""

    def __init__(self, value: object) -> None:
        self.value = value


def join(value: object) -> object:
    """Return an argument as the function is to get it."""
    return value.joined() if isinstance(value, Parts) else value


def _parts(value: object) -> Parts:
    pending: list[object] = []

    def place(part: object) -> object:
        if not isinstance(part, PrefectFuture) and not is_annotated(part):
            return part
        pending.append(part)
        return _Place(len(pending) - 1)

    rest = replace(value, place)
    return Parts(pending, _Opaque(rest))


def _is_resolved_by_prefect(value: object, entered: set[int]) -> bool:
    """Tell whether Prefect finds all futures in a value, and can put their results there."""
    if is_annotated(value):
        value = value.unwrap()
    if type(value) in ATOMS or isinstance(value, PrefectFuture):
        return True
    if type(value) not in (list, tuple, dict, set):
        return not holds_references(value)
    if id(value) in entered:
        return False
    entered.add(id(value))
    parts = value.values() if isinstance(value, dict) else cast(Iterable[object], value)
    return all(_is_resolved_by_prefect(part, entered) for part in parts)


def waited_for(wait_for: WaitFor) -> list[PrefectFuture[object]] | None:
    """Return the futures that Prefect has to wait for, None if there are none.

    Raises:
        UpstreamError: if a call without Prefect among them failed.
    """
    if wait_for is None:
        return None
    futures = [wait_for] if isinstance(wait_for, Future) else list(wait_for)
    pending = []
    for future in futures:
        if isinstance(future, (OverFuture, PendingFuture)):
            result(future)  # of a call without Prefect, which Prefect cannot wait for
        elif not isinstance(future, SkippedFuture):
            pending.append(future)
    return cast(list[PrefectFuture[object]], pending) or None


def _outcome(value: object) -> object:
    return outcome(value) if isinstance(value, (OverFuture, PendingFuture)) else value


def _for_prefect(value: object) -> object:
    if isinstance(value, SkippedFuture):
        return value.item
    if isinstance(value, (OverFuture, PendingFuture)):
        return result(value)
    if not is_annotated(value):
        return value
    inner = value.unwrap()
    if is_marked(value, allow_failure):
        inner = replace(inner, _outcome)
    inner = for_prefect(inner)
    for ours, theirs in _MARKS:
        if is_marked(value, ours):
            return theirs(inner)
    return value.rewrap(inner)

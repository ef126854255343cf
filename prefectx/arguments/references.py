"""Replaces futures and items in nested values by their data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar, cast, overload

from prefectx.arguments.marks import allow_failure, is_annotated, is_marked, quote
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import replace
from prefectx.errors import UpstreamError
from prefectx.futures import Future, FutureList, State, data_of, item_of, item_or
from prefectx.item import Item
from prefectx.planned_outputs import PlannedData, PlannedOutputs

R = TypeVar("R")


@overload
def load(value: Item[R]) -> R: ...
@overload
def load(value: Future[R]) -> R: ...
@overload
def load(value: FutureList[R]) -> list[R]: ...
@overload
def load(value: R) -> R: ...
def load(value: object) -> object:
    """Return the data of items and futures, so that a flow's code is the same in every mode.

    Parameters:
        value: an item, a future, or a collection of them; other values are returned unchanged.

    Raises:
        Exception: what the call of a future raised.
        CorruptItemError: if an output cannot be read.
    """
    return replace(value, _load)


def load_items(arguments: Arguments, untouched: Collection[str] = ()) -> Arguments:
    """Load the items in the arguments of a call, except in the arguments named in `untouched`."""
    return {
        name: value if name in untouched else replace(value, _load_item)
        for name, value in arguments.items()
    }


def resolve_futures(arguments: Arguments) -> Arguments:
    """Replace the futures in the arguments of a call by their results, and drop the marks.

    Raises:
        UpstreamError: if the call of a future failed, and its failure is not allowed.
    """
    return {name: replace(value, _resolve) for name, value in arguments.items()}


def settle(arguments: Arguments) -> tuple[Arguments, list[Future[object]]]:
    """Replace futures without an item by their results, to fill a target from the arguments.

    Futures with an item stay, as their item is known before they are done. Marks are dropped.

    Returns:
        The arguments, and the futures that stay.
    """
    pending: list[Future[object]] = []

    def settled(value: object, is_allowed: bool) -> object:
        if isinstance(value, Future):
            if item_of(value) is None:
                return outcome(value) if is_allowed else result(value)
            pending.append(value)
        if is_annotated(value):
            is_allowed = is_marked(value, allow_failure)
            return replace(value.unwrap(), lambda inner: settled(inner, is_allowed))
        return value

    known = {
        name: replace(value, lambda inner: settled(inner, False))
        for name, value in arguments.items()
    }
    return known, pending


def check_upstream(wait_for: Future[object] | Iterable[object] | None) -> None:
    """Wait for the futures in `wait_for`.

    Raises:
        UpstreamError: if one failed, and its failure is not allowed.
    """
    if wait_for is not None:
        replace(wait_for if isinstance(wait_for, Future) else list(wait_for), _resolve)


def holds_items(values: object) -> bool:
    """Tell whether nested values hold items, or futures whose calls have items."""
    return _any(values, lambda value: item_of(value) is not None)


def holds_references(values: object) -> bool:
    """Tell whether nested values hold items or futures."""
    return _any(values, lambda value: isinstance(value, (Item, Future)))


def futures_in(values: object) -> list[Future[object]]:
    """Return the futures in nested values, marked ones too."""
    return cast(list[Future[object]], _matching(values, lambda value: isinstance(value, Future)))


def items_in(values: object) -> list[Item[object]]:
    """Return the items in nested values, and of futures those of their calls, in order."""
    found = []
    for value in _matching(values, lambda value: item_of(value) is not None):
        item = item_of(value)
        if isinstance(value, Future) and value.state.is_completed():
            # What a worker gave back knows its version.
            result = value.result()
            item = result if isinstance(result, Item) else item
        if item is not None:
            found.append(item)
    return found


def unsettled_in(plan: PlannedOutputs, values: object) -> list[object]:
    """Return the items, or items of futures, and the data in nested values that a run would make.

    Parameters:
        plan: what is known while a plan is made.
        values: the values.
    """

    def is_unsettled(value: object) -> bool:
        item = item_of(value)
        return isinstance(value, PlannedData) or (item is not None and plan.is_unsettled(item))

    return [item_or(value) for value in _matching(values, is_unsettled)]


def _any(values: object, matches: Callable[[object], bool]) -> bool:
    return bool(_matching(values, matches))


def _matching(values: object, matches: Callable[[object], bool]) -> list[object]:
    if isinstance(values, (Item, Future)):
        return [values] if matches(values) else []
    found: list[object] = []

    def look(value: object) -> object:
        if is_annotated(value):
            replace(value.unwrap(), look)
            return None
        if matches(value):
            found.append(value)
        return value

    replace(values, look)
    return found


def _load(value: object) -> object:
    if isinstance(value, Item):
        return value.load()
    if isinstance(value, Future):
        return load(value.result())
    if isinstance(value, State):
        return load(data_of(value))
    return value


def _load_item(value: object) -> object:
    return value.load() if isinstance(value, Item) else value


def _resolve(value: object) -> object:
    if isinstance(value, Future):
        return result(value)
    if not is_annotated(value):
        return value
    inner = value.unwrap()
    if is_marked(value, quote):
        return inner
    return replace(inner, outcome if is_marked(value, allow_failure) else _resolve)


def result(future: Future[object]) -> object:
    """Return the result of a future.

    Raises:
        UpstreamError: if its call failed.
    """
    try:
        return future.result()
    except UpstreamError as error:  # told once, however long the chain
        raise UpstreamError(str(error)) from error.__cause__
    except Exception as error:
        raise UpstreamError(f"an input failed: {type(error).__name__}: {error}") from error


def outcome(value: object) -> object:
    """Return the result of a future, or the exception that its call raised; other values as is."""
    return value.result(raise_on_failure=False) if isinstance(value, Future) else value

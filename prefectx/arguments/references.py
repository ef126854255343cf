"""From references to data: futures and items, anywhere in nested values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from prefectx.arguments.marks import allow_failure, is_annotated, is_marked, quote
from prefectx.arguments.traversal import replace
from prefectx.errors import UpstreamError
from prefectx.futures import AnyFuture, AnyState, item_of, state_result
from prefectx.item import Item


def load(value: Any) -> Any:
    """Return the data that a value stands for, so that flow code reads the same in every mode.

    Parameters:
        value: an item, a future, a collection of them; anything else comes back as it is.

    Raises:
        Exception: what the call of a future raised.
        CorruptItemError: where an output cannot be read.
    """
    return replace(value, _load)


def load_items(arguments: dict[str, Any], untouched: Collection[str] = ()) -> dict[str, Any]:
    """Load the items in the arguments of a call, but in those named by `untouched`."""
    return {
        name: value if name in untouched else replace(value, _load_item)
        for name, value in arguments.items()
    }


def resolve_futures(arguments: dict[str, Any]) -> dict[str, Any]:
    """Replace the futures in the arguments of a call by their results, and drop the marks.

    Raises:
        UpstreamError: where the call of a future failed, and its failure is not allowed.
    """
    return {name: replace(value, _resolve) for name, value in arguments.items()}


def settle(arguments: dict[str, Any]) -> dict[str, Any]:
    """Replace the futures that have no output by their results: only those say what they are.

    A future with an item stays: its target is known before it is over. Marks are dropped.
    """
    return {name: replace(value, _settle) for name, value in arguments.items()}


def check_upstream(wait_for: Any) -> None:
    """Wait for the futures in `wait_for`.

    Raises:
        UpstreamError: where one failed, and its failure is not allowed.
    """
    if wait_for is not None:
        replace(list(wait_for) if not isinstance(wait_for, AnyFuture) else wait_for, _resolve)


def _load(value: Any) -> Any:
    if isinstance(value, Item):
        return value.load()
    if isinstance(value, AnyFuture):
        return load(value.result())
    if isinstance(value, AnyState):
        return load(state_result(value))
    return value


def _load_item(value: Any) -> Any:
    return value.load() if isinstance(value, Item) else value


def _resolve(value: Any) -> Any:
    if isinstance(value, AnyFuture):
        return _result(value)
    if not is_annotated(value):
        return value
    inner = value.unwrap()
    if is_marked(value, quote):
        return inner
    if is_marked(value, allow_failure):
        return replace(inner, _outcome)
    return replace(inner, _resolve)


def _settle(value: Any) -> Any:
    if isinstance(value, AnyFuture):
        return value if item_of(value) is not None else _result(value)
    if is_annotated(value):
        inner = value.unwrap()
        return replace(inner, _settle_allowed if is_marked(value, allow_failure) else _settle)
    return value


def _settle_allowed(value: Any) -> Any:
    return value if item_of(value) is not None else _outcome(value)


def _result(future: Any) -> Any:
    try:
        return future.result()
    except Exception as error:
        raise UpstreamError(f"an input failed: {type(error).__name__}: {error}") from error


def _outcome(value: Any) -> Any:
    return value.result(raise_on_failure=False) if isinstance(value, AnyFuture) else value

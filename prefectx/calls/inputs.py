"""Loads the inputs of a call, just before its function runs."""

from __future__ import annotations

from collections.abc import Collection

from prefectx.arguments.references import items_in, load_items
from prefectx.arguments.signature import Arguments, Signature
from prefectx.errors import UpstreamError
from prefectx.item import Item
from prefectx.masking import mask_urls
from prefectx.records import Lineage


def load_inputs(
    given: Arguments, signature: Signature, untouched: Collection[str], lineage: Lineage | None
) -> tuple[tuple[object, ...], Arguments]:
    """Return the arguments of a function with its items loaded.

    Parameters:
        given: the arguments by name.
        signature: the signature of the function.
        untouched: the names of arguments that stay as they are.
        lineage: tells which task makes an input that is gone, None if nothing is recorded.

    Raises:
        UpstreamError: an input does not exist; it says which task makes it.
    """
    try:
        loaded = load_items(given, untouched)
    except FileNotFoundError as error:
        gone = [item for item in items_in(given) if not item.exists()]
        if not gone:
            raise
        raise UpstreamError(_told(gone[0], lineage)) from error
    return signature.unbind(loaded)


def _told(item: Item[object], lineage: Lineage | None) -> str:
    recorded = [] if lineage is None else lineage.records.find(item)
    maker = f"task {recorded[0].task!r} makes it: call it again" if recorded else "make it again"
    return f"the input {mask_urls(item.location)} does not exist any more; {maker} in this flow"

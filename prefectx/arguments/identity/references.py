"""Items and futures: by the place of the output, never by its data."""

from __future__ import annotations

from collections.abc import Mapping

from prefectx.arguments.identity.form import Form, Maker, Unidentifiable
from prefectx.futures import Future, item_of
from prefectx.item import Item

# How an output is written, and secrets: neither says which output it is.
_INCIDENTAL = frozenset({"fsync", "exact", "mmap", "allow_pickle", "signing_key", "_url"})
_SECRETS = ("key", "secret", "token", "password", "passphrase", "credential")


def item_form(item: Item[object]) -> Form:
    """Identify an item by its store and its location relative to the root."""
    store = item.store
    if type(store).__module__.partition(".")[0] != __name__.partition(".")[0]:
        return Form("item", (store,), place=item.location)
    settings = {
        name: _without_secrets(value)
        for name, value in sorted(vars(store).items())
        if name not in _INCIDENTAL
    }
    return Form("item", (type(store), settings), place=item.location)


def future_form(future: Future[object]) -> Form:
    """Identify a future by the item of its call."""
    item = item_of(future)
    if item is None:
        raise Unidentifiable(future, "its call keeps no output")
    return item_form(item)


def _without_secrets(value: object) -> object:
    # Of a setting that may hold secrets, what is shown of it.
    value = getattr(value, "shown", value)
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_secrets(part)
        for name, part in value.items()
        if not any(secret in str(name).lower() for secret in _SECRETS)
    }


FAMILIES: dict[type, Maker] = {Item: item_form, Future: future_form}

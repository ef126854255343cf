"""The [stores.NAME] tables, and the check that a store that a key names exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prefectx.imports import BUILTIN_STORES
from prefectx.masking import masked
from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem
from prefectx.settings.messages.spelling import did_you_mean, show
from prefectx.settings.sources.layer import Layer, Layers, Values


@dataclass(frozen=True)
class StoreDefinition:
    """A [stores.NAME] table.

    Attributes:
        cls: the store's class, as "package.module:Class".
        arguments: the keyword arguments of the class.
    """

    cls: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"StoreDefinition({self.cls!r}, {masked(self.arguments)!r})"


def define_stores(sources: Iterable[Mapping[str, Values]]) -> Mapping[str, StoreDefinition]:
    """Merge what the sources say of each store, key by key.

    Parameters:
        sources: from the weakest to the strongest.
    """
    merged: dict[str, dict[str, object]] = {}
    for stores in sources:
        for name, values in stores.items():
            merged[name] = _merged(merged.get(name, {}), values)
    return {
        name: StoreDefinition(
            str(values.pop("cls", None) or BUILTIN_STORES.get(name, "")), arguments=values
        )
        for name, values in merged.items()
    }


def _merged(weak: Values, strong: Values) -> dict[str, object]:
    """Merge two tables key by key, and the tables in them."""
    merged = {**weak, **strong}
    for key, value in strong.items():
        below = weak.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merged(below, value)
    return merged


def store_place(name: str, source: Layers) -> Place:
    """Return the place of the table [stores.NAME] in a source."""
    layer = source.everywhere
    return layer.origin.place((*layer.path, "stores", name), key=True)


def stores_without_class(
    source: Layers, stores: Mapping[str, StoreDefinition]
) -> Iterator[Problem]:
    """Yield a problem for each of the source's stores that no source gives a class."""
    for name in source.stores:
        if not stores[name].cls:
            message = 'has no class; write class = "package.module:Class"'
            yield Problem(store_place(name, source), f"stores.{name}", message)


def unknown_stores(layers: Iterable[Layer], stores: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each layer whose store does not exist."""
    known = list(dict.fromkeys((*BUILTIN_STORES, *stores)))
    for layer in layers:
        name = layer.values.get("store")
        if isinstance(name, str) and ":" not in name and name not in known:
            place = layer.origin.place((*layer.path, "store"), key=False)
            hint = did_you_mean(name, known) or f"; known stores: {', '.join(known)}"
            message = f"unknown store {show(name)}{hint} ([stores.NAME] defines one)"
            yield Problem(place, "store", message)

"""The [stores.NAME] tables, and whether a store that a key names is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prefectx.settings.layers import Layer, Part, Values
from prefectx.settings.problems import Problem
from prefectx.settings.secrets import masked
from prefectx.settings.spelling import did_you_mean, show
from prefectx.settings.values import BUILTIN_STORES


@dataclass(frozen=True)
class StoreDefinition:
    """A [stores.NAME] table.

    Attributes:
        cls: the store's class, as "package.module:Class".
        arguments: the keywords that the class is made with.
    """

    cls: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"StoreDefinition({self.cls!r}, {masked(self.arguments)!r})"


def define_stores(layers: Iterable[Mapping[str, Values]]) -> Mapping[str, StoreDefinition]:
    """Merge what the layers say of each store, key by key.

    Parameters:
        layers: from the weakest to the strongest.
    """
    merged: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for name, values in layer.items():
            merged.setdefault(name, {}).update(values)
    return {name: _defined(name, values) for name, values in merged.items()}


def _defined(name: str, values: Mapping[str, Any]) -> StoreDefinition:
    arguments = {key: value for key, value in values.items() if key != "cls"}
    return StoreDefinition(values.get("cls") or BUILTIN_STORES.get(name, ""), arguments)


def stores_without_class(part: Part, stores: Mapping[str, StoreDefinition]) -> Iterator[Problem]:
    """Yield a problem for each of the part's stores that nobody gives a class."""
    layer = part.everywhere
    for name in part.stores:
        if not stores[name].cls:
            place = layer.origin.place((*layer.path, "stores", name), key=True)
            message = 'has no class; write class = "package.module:Class"'
            yield Problem(place, f"stores.{name}", message)


def unknown_stores(part: Part, stores: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each store that a part names and that is not there."""
    for layer in (part.everywhere, *part.tasks.values()):
        yield from unknown_store(layer, stores)


def unknown_store(layer: Layer, stores: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem where the layer's store is not there."""
    name = layer.values.get("store")
    known = [*BUILTIN_STORES, *(store for store in stores if store not in BUILTIN_STORES)]
    if isinstance(name, str) and ":" not in name and name not in known:
        place = layer.origin.place((*layer.path, "store"), key=False)
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        yield Problem(
            place, "store", f"there is no store {show(name)}{hint} ([stores.NAME] makes one)"
        )

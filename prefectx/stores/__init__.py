"""Where outputs are kept: the stores that come with prefectx, and how one is made by name."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from prefectx.errors import ConfigError, MissingDependencyError
from prefectx.formats import get_format
from prefectx.imports import BUILTIN_STORES, load_object
from prefectx.item import Store
from prefectx.stores.signing import VARIABLE as SIGNING_KEY
from prefectx.stores.signing import SigningKey

if TYPE_CHECKING:
    from prefectx.stores.files.filestore import Filestore
    from prefectx.stores.sql.store import SqlStore

__all__ = ["Filestore", "SqlStore", "StoreDefinition", "make_store"]

_CLASSES = {path.rpartition(":")[2]: path for path in BUILTIN_STORES.values()}
_Defaults = tuple[tuple[str, Any], ...]
# Equal stores are one object, so that connections and caches are shared.
_made: dict[Store, Store] = {}


class StoreDefinition(Protocol):
    """A store as `[stores.NAME]` in the configuration defines it."""

    @property
    def cls(self) -> str:
        """The store's class, as `package.module:Class`."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the class."""


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        return load_object(_CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def make_store(
    store: Store | type[Store] | str,
    definitions: Mapping[str, StoreDefinition],
    *,
    format: str | None = None,
    fsync: bool = True,
    allow_pickle: bool = True,
) -> Store:
    """Make the store that a task's options ask for.

    Parameters:
        store: a store, a class of stores, or a name: one of `definitions`, `file`, `sql`, or
            a class as `package.module:Class`. A store is taken as it is, but for the format, and
            that it refuses pickles and signs where that is asked for and it knows how to.
        definitions: the stores that the configuration defines, by name.
        format: the suffix of the format to use whatever the locations say.
        fsync: for stores that have the setting and whose definition does not give it.
        allow_pickle: likewise. So is the key for signatures, which the environment has.

    Returns:
        The store; equal requests give the same object.

    Raises:
        ConfigError: where the store is not known, its arguments are wrong, or it takes no
            format and one is given.
        MissingDependencyError: where a package that it needs is not installed.
    """
    if format is not None:
        format = get_format(format).suffix
    key = os.environ.get(SIGNING_KEY) or None
    if isinstance(store, Store):
        return _guarded(store, format, allow_pickle, key)
    defaults: _Defaults = (("fsync", fsync), ("allow_pickle", allow_pickle), ("signing_key", key))
    if isinstance(store, str) and store in definitions:
        definition = definitions[store]
        return _make(_load_class(definition.cls, store), definition.arguments, format, defaults)
    if isinstance(store, str):
        return _make_named(store, tuple(definitions), format, defaults)
    return _make(store, {}, format, defaults)


@lru_cache(maxsize=256)
def _make_named(
    name: str, defined: tuple[str, ...], format: str | None, defaults: _Defaults
) -> Store:
    if name not in BUILTIN_STORES and ":" not in name:
        known = ", ".join(repr(known) for known in dict.fromkeys([*BUILTIN_STORES, *defined]))
        raise ConfigError(
            f"there is no store {name!r}: known are {known}; define it as [stores.{name}] with "
            'class = "package.module:Class"'
        )
    return _make(_load_class(BUILTIN_STORES.get(name, name), name), {}, format, defaults)


def _load_class(path: str, name: str) -> type[Store]:
    try:
        cls = load_object(path)
    except (ConfigError, MissingDependencyError) as error:
        raise type(error)(f"the store {name!r} cannot be made: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, Store)):
        raise ConfigError(f"the store {name!r} cannot be made: {path!r} is no subclass of Store")
    return cls


def _make(
    cls: type[Store], arguments: Mapping[str, Any], format: str | None, defaults: _Defaults
) -> Store:
    accepted = inspect.signature(cls).parameters
    given = {name: value for name, value in defaults if name in accepted} | dict(arguments)
    if format is not None:
        if "format" not in accepted:
            raise ConfigError(_no_format(cls, format))
        given["format"] = format
    try:
        return _interned(cls(**given))
    except TypeError as error:
        raise ConfigError(f"the store {cls.__qualname__} cannot be made: {error}") from error


def _guarded(store: Store, format: str | None, allow_pickle: bool, key: str | None) -> Store:
    """Return a store that somebody made, with this format, and no less safe than is asked for."""
    has = vars(store)
    changes: dict[str, Any] = {}
    if format is not None:
        if "format" not in has:
            raise ConfigError(_no_format(type(store), format))
        changes["format"] = format
    if not allow_pickle and has.get("allow_pickle"):
        changes["allow_pickle"] = False
    if key is not None and has.get("signing_key", key) is None:
        changes["signing_key"] = SigningKey(key)
    if not changes:
        return store
    changed = copy.copy(store)
    vars(changed).update(changes)
    return _interned(changed)


def _no_format(cls: type[Store], format: str) -> str:
    return f"format = {format!r} is given, but the store {cls.__qualname__} takes no format"


def _interned(store: Store) -> Store:
    return _made.setdefault(store, store)

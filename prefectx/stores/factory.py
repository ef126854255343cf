"""From the options of a task to its store."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Mapping
from typing import Protocol

from prefectx.errors import ConfigError, MissingDependencyError, PrefectxError
from prefectx.formats import get_format
from prefectx.imports import BUILTIN_STORES, load_object
from prefectx.item import Store
from prefectx.stores.arguments import checked_arguments
from prefectx.stores.signing import VARIABLE as SIGNING_KEY
from prefectx.stores.signing import SigningKey

# Arguments for stores whose constructor takes them and whose definition does not give them.
_Defaults = tuple[tuple[str, bool | str | None], ...]


class StoreDefinition(Protocol):
    """A store as `[stores.NAME]` in the configuration defines it."""

    @property
    def cls(self) -> str:
        """The store's class, as `package.module:Class`."""

    @property
    def arguments(self) -> Mapping[str, object]:
        """The arguments of the class."""


class StoreCache:
    """The stores of this process. Equal stores are one object, to share connections and caches."""

    def __init__(self) -> None:
        self._stores: dict[Store, Store] = {}
        self.by_name: dict[tuple[str, str | None, _Defaults], Store] = {}

    def intern(self, store: Store) -> Store:
        """Return the one object for all stores that equal `store`."""
        return self._stores.setdefault(store, store)

    def reset(self) -> None:
        """Forget all stores."""
        self._stores.clear()
        self.by_name.clear()


CACHE = StoreCache()


def make_store(
    store: Store | type[Store] | str,
    definitions: Mapping[str, StoreDefinition],
    *,
    format: str | None = None,
    fsync: bool = True,
    allow_pickle: bool = True,
) -> Store:
    """Make the store that a task's options ask for.

    The environment gives the key for signatures, `PREFECTX_SIGNING_KEY`.

    Parameters:
        store: a store, a subclass of Store, or a name: one of `definitions`, `file`, `sql`, or
            a class as `package.module:Class`. An instance is taken as it is, except that it gets
            the format, refuses pickles and signs, if asked for and supported.
        definitions: the stores that the configuration defines, by name.
        format: the suffix of the format to use, whatever the locations say.
        fsync: for stores that have this setting and whose definition does not give it.
        allow_pickle: the same.

    Returns:
        The store; equal requests give the same object.

    Raises:
        ConfigError: the store is unknown, its arguments are wrong, or `format` is given and it
            takes none.
        MissingDependencyError: a package that it needs is not installed.
    """
    if format is not None:
        format = get_format(format).suffix
    key = os.environ.get(SIGNING_KEY) or None
    if isinstance(store, Store):
        return _adapt(store, format, allow_pickle, key)
    defaults: _Defaults = (("fsync", fsync), ("allow_pickle", allow_pickle), ("signing_key", key))
    if not isinstance(store, str):
        return _make(store, {}, format, defaults)
    if store in definitions:
        definition = definitions[store]
        return _make(_load_class(definition.cls, store), definition.arguments, format, defaults)
    if store not in BUILTIN_STORES and ":" not in store:
        known = ", ".join(repr(name) for name in dict.fromkeys([*BUILTIN_STORES, *definitions]))
        raise ConfigError(
            f"there is no store {store!r}: known are {known}; define it as [stores.{store}] with "
            'class = "package.module:Class"'
        )
    request = (store, format, defaults)
    if request not in CACHE.by_name:
        cls = _load_class(BUILTIN_STORES.get(store, store), store)
        CACHE.by_name[request] = _make(cls, {}, format, defaults)
    return CACHE.by_name[request]


def _load_class(path: str, name: str) -> type[Store]:
    try:
        cls = load_object(path)
    except (ConfigError, MissingDependencyError) as error:
        raise type(error)(f"the store {name!r} cannot be made: {error}") from error
    except (Exception, SystemExit) as error:  # whatever the module of a store does when imported
        raise ConfigError(
            f"the store {name!r} cannot be made: importing {path!r} raised "
            f"{type(error).__name__}: {error}"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, Store)):
        raise ConfigError(f"the store {name!r} cannot be made: {path!r} is not a subclass of Store")
    return cls


def _make(
    cls: type[Store], arguments: Mapping[str, object], format: str | None, defaults: _Defaults
) -> Store:
    accepted = inspect.signature(cls).parameters
    given = {name: value for name, value in defaults if name in accepted} | dict(arguments)
    if format is not None:
        if "format" not in accepted:
            raise _takes_no_format(cls, format)
        given["format"] = format
    given = checked_arguments(cls, given)
    try:
        return CACHE.intern(cls(**given))
    except (PrefectxError, TypeError) as error:
        raise ConfigError(f"the store {cls.__qualname__} cannot be made: {error}") from error
    except (Exception, SystemExit) as error:  # whatever a store that somebody wrote may raise
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the store {cls.__qualname__} cannot be made: {reason}") from error


def _adapt(store: Store, format: str | None, allow_pickle: bool, key: str | None) -> Store:
    """Return a store made in code with this format, and no less safe than asked for."""
    attributes = vars(store)
    changes: dict[str, object] = {}
    if format is not None:
        if "format" not in attributes:
            raise _takes_no_format(type(store), format)
        changes["format"] = format
    if not allow_pickle and attributes.get("allow_pickle"):
        changes["allow_pickle"] = False
    if key is not None and attributes.get("signing_key", key) is None:
        changes["signing_key"] = SigningKey(key)
    if not changes:
        return store
    changed = copy.copy(store)
    vars(changed).update(changes)
    return CACHE.intern(changed)


def _takes_no_format(cls: type[Store], format: str) -> ConfigError:
    return ConfigError(f"format = {format!r} is given, but the store {cls.__qualname__} takes none")

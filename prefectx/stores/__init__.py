"""Where outputs are kept: the stores that come with prefectx, and how one is made by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefectx.imports import BUILTIN_STORES, load_object
from prefectx.stores.factory import StoreDefinition, make_store
from prefectx.stores.files import Filestore

if TYPE_CHECKING:
    from prefectx.stores.sql import SqlStore

__all__ = ["Filestore", "SqlStore", "StoreDefinition", "make_store"]


def __getattr__(name: str) -> object:
    if name != "SqlStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Imported when it is used, as SQLAlchemy and Arrow may not be installed.
    return load_object(BUILTIN_STORES["sql"])

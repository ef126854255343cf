"""SqlStore: outputs in a database that any client can query."""

from prefectx.stores.sql.store import SqlStore

__all__ = ["SqlStore"]

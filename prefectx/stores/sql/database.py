"""A database through SQLAlchemy: connections, and transactions that are retried."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypedDict, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
)

from prefectx.errors import ConfigError, MissingDependencyError
from prefectx.imports import install_hint
from prefectx.settings import mask

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

Result = TypeVar("Result")

# How often a transaction is tried if the connection was lost or the server restarts.
_ATTEMPTS = 5
_BUSY_SECONDS = 60
# More than the connections of a pool, each of which may have prepared an outdated statement.
_MOST_OUTDATED = 20


class Engines:
    """The engines of this process, by URL. There is one such object, `ENGINES`.

    Entries are by process id too: a connection must not be used on both sides of a fork.
    """

    def __init__(self) -> None:
        self._engines: dict[tuple[str, int, bool], sa.Engine] = {}
        self._prepared: set[tuple[str, int]] = set()

    def get(self, url: str, *, locks: bool = False) -> sa.Engine:
        """Return the engine of a database.

        Parameters:
            url: the database.
            locks: each connection of the engine holds a lock; there is no limit to them.
        """
        key = url, os.getpid(), locks
        found = self._engines.get(key)
        return found or self._engines.setdefault(key, _make_engine(url, locks=locks))

    def is_prepared(self, url: str) -> bool:
        """Tell whether this process has made the tables that every database needs."""
        return (url, os.getpid()) in self._prepared

    def set_prepared(self, url: str) -> None:
        """Remember that the tables that every database needs are there."""
        self._prepared.add((url, os.getpid()))

    def close(self, url: str) -> None:
        """Close this process's connections to a database; the next use opens new ones."""
        engine = self._engines.pop((url, os.getpid(), False), None)
        if engine is not None:
            engine.dispose()

    def reset(self) -> None:
        """Close all connections of this process, and forget what was made."""
        for url, process, _ in list(self._engines):
            if process == os.getpid():
                self.close(url)
        self._engines.clear()
        self._prepared.clear()


ENGINES = Engines()


def shown(url: str) -> str:
    """Return a database's URL without its password.

    Raises:
        ConfigError: it is not the URL of a database.
    """
    return mask(parsed(url).render_as_string(hide_password=True))


def parsed(url: str) -> sa.URL:
    """Return a database's URL in its parts.

    Raises:
        ConfigError: it is not the URL of a database, or of a kind that SQLAlchemy does not know.
    """
    try:
        parts = sa.make_url(url)
        parts.get_dialect()
        return parts
    except NoSuchModuleError as error:
        known = ", ".join(sa.dialects.__all__)
        name = url.partition("://")[0]
        raise ConfigError(
            f"the url of an SqlStore has the dialect {name!r}, which SQLAlchemy does not know: use "
            f"one of {known}, or install the package that adds it"
        ) from error
    except ArgumentError as error:
        raise ConfigError(
            "the url of an SqlStore must be one of SQLAlchemy's, such as "
            "'sqlite:////data/results.db' or 'postgresql://user:password@host/database'"
        ) from error


def transact(
    url: str, action: Callable[[sa.Connection], Result], *, writes: bool = False
) -> Result:
    """Run `action` in one transaction, and again if the connection was lost.

    Parameters:
        url: the database.
        action: gets the connection; may be called more than once.
        writes: the action changes the database.

    Raises:
        DBAPIError: the database does not answer, or refuses.
    """
    attempt = outdated = 0
    while True:
        try:
            with ENGINES.get(url).execution_options(writes=writes).begin() as connection:
                try:
                    return action(connection)
                except DBAPIError as error:
                    if _is_outdated(error):
                        # Its prepared statements go with it.
                        connection.invalidate()
                    raise
        except DBAPIError as error:
            if _is_outdated(error) and outdated < _MOST_OUTDATED:
                outdated += 1
                continue
            attempt += 1
            if attempt == _ATTEMPTS or not _is_temporary(error):
                raise
            time.sleep(0.1 * 2**attempt)


def _is_outdated(error: DBAPIError) -> bool:
    """Tell whether a table changed since PostgreSQL prepared the statement that reads it."""
    told = getattr(error.orig, "diag", None)
    return getattr(told, "source_function", None) == "RevalidateCachedQuery"


def is_about_tables(error: Exception) -> bool:
    """Tell whether a statement failed because a table, or a column of it, is not there."""
    original = getattr(error, "orig", None)
    if "sqlite" in type(original).__module__:
        return str(original).startswith(("no such table", "no such column"))
    return getattr(original, "sqlstate", None) in {"42P01", "42703"}


def _is_temporary(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, IntegrityError):
        return True
    # PostgreSQL: another writer made the same table meanwhile.
    if getattr(error.orig, "sqlstate", None) == "42P07":
        return True
    # SQLite already waited for its locks.
    return isinstance(error, OperationalError) and "sqlite" not in type(error.orig).__module__


class _Options(TypedDict, total=False):
    connect_args: dict[str, int]
    isolation_level: Literal["AUTOCOMMIT"]
    poolclass: type[sa.Pool]


def _make_engine(url: str, *, locks: bool) -> sa.Engine:
    address = parsed(url)
    is_sqlite = address.get_backend_name() == "sqlite"
    if is_sqlite and address.database in {None, "", ":memory:"}:
        raise ConfigError(
            f"the database {shown(url)} exists only in memory, for one thread: name a file for it"
        )
    options: _Options = {}
    if is_sqlite:
        # A pooled connection would keep writing to a SQLite file that was removed or replaced.
        options = {"connect_args": {"timeout": _BUSY_SECONDS}, "poolclass": sa.NullPool}
    elif locks:
        # In a transaction the server may end a session that is idle. A pool has a limit, at which
        # the holders of all locks would wait for a connection to work with.
        options = {"isolation_level": "AUTOCOMMIT", "poolclass": sa.NullPool}
    try:
        # The parameters are the user's data, which do not belong in error messages.
        engine = sa.create_engine(address, pool_pre_ping=True, hide_parameters=True, **options)
    except ModuleNotFoundError as error:
        hint = install_hint(error.name or "")
        raise MissingDependencyError(f"{shown(url)} cannot be reached: {hint}") from error
    if is_sqlite:
        _begin_explicitly(engine)
    return engine


def _begin_explicitly(engine: sa.Engine) -> None:
    """Let SQLite's transactions include CREATE and DROP, and wait for the lock at their start."""

    @sa.event.listens_for(engine, "connect")
    def disable_implicit_begin(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def hold(connection: sa.Connection, name: str, *, shared: bool = False) -> None:
    """Lock a name until the transaction ends; in SQLite a transaction locks everything."""
    if connection.dialect.name == "postgresql":
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.execute(sa.select(getattr(sa.func, function)(number(name))))


def plain_error(error: Exception) -> str:
    """Return the text of the driver's error without secrets, and without the whole statement."""
    original = getattr(error, "orig", None)
    return mask(str(original if isinstance(original, Exception) else error))


def number(name: str) -> int:
    """Return the number by which PostgreSQL locks a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)

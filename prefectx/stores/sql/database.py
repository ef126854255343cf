"""A database through SQLAlchemy: connections that come back, transactions, locks."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

from prefectx.errors import ConfigError, MissingDependencyError, StoreError
from prefectx.imports import install_hint
from prefectx.stores.files.locks import locked

Result = TypeVar("Result")

# A connection that was lost, or a moment when the server restarts: so often it is tried.
_ATTEMPTS = 5
_BUSY_SECONDS = 60
# By process: a connection must not be used on both sides of a fork.
_engines: dict[tuple[str, int], sa.Engine] = {}


def shown(url: str) -> str:
    """Return a database's URL without its password.

    Raises:
        ConfigError: where it is no such URL.
    """
    return _parsed(url).render_as_string(hide_password=True)


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            "the url of an SqlStore must be one of SQLAlchemy's, such as "
            "'sqlite:////data/results.db' or 'postgresql://user:password@host/database'"
        ) from error


def transact(
    url: str, action: Callable[[sa.Connection], Result], *, writes: bool = False
) -> Result:
    """Run `action` in one transaction; again where the connection was lost.

    Parameters:
        url: the database.
        action: what to do with the connection; it may be called more than once.
        writes: the action changes the database.

    Raises:
        StoreError: where the database does not answer.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with _engine(url).execution_options(writes=writes).begin() as connection:
                return action(connection)
        except DBAPIError as error:
            if attempt == _ATTEMPTS or not _is_passing(error):
                raise
            time.sleep(0.1 * 2**attempt)
    raise AssertionError("unreachable")


def _is_passing(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, IntegrityError):
        return True
    # PostgreSQL: another writer has made the same table meanwhile.
    if getattr(error.orig, "sqlstate", None) == "42P07":
        return True
    # SQLite has waited for its locks already.
    return isinstance(error, OperationalError) and "sqlite" not in type(error.orig).__module__


def close(url: str) -> None:
    """Close the connections that this process has to a database; the next use opens new ones."""
    engine = _engines.pop((url, os.getpid()), None)
    if engine is not None:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    key = url, os.getpid()
    return _engines.get(key) or _engines.setdefault(key, _make_engine(url))


def _make_engine(url: str) -> sa.Engine:
    parsed = _parsed(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database in {None, "", ":memory:"}:
        raise ConfigError(f"{url} would be lost with its thread: name a file for the database")
    # A pooled connection would go on writing to a SQLite file that was removed or replaced.
    options: dict[str, Any] = {"connect_args": {"timeout": _BUSY_SECONDS}, "poolclass": sa.NullPool}
    try:
        # Parameters are the user's data: they have no place in error messages.
        engine = sa.create_engine(
            parsed, pool_pre_ping=True, hide_parameters=True, **(options if is_sqlite else {})
        )
    except ModuleNotFoundError as error:
        hint = install_hint(error.name or "")
        raise MissingDependencyError(f"{shown(url)} cannot be reached: {hint}") from error
    if is_sqlite:
        _take_over_transactions(engine)
    return engine


def _take_over_transactions(engine: sa.Engine) -> None:
    """Let SQLite's transactions hold CREATE and DROP too, and wait for the lock at the start."""

    @sa.event.listens_for(engine, "connect")
    def leave_alone(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def hold(connection: sa.Connection, name: str, *, shared: bool = False) -> None:
    """Hold a name until the transaction ends; SQLite's transactions hold all."""
    if connection.dialect.name == "postgresql":
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        connection.execute(sa.select(getattr(sa.func, function)(_number(name))))


@contextmanager
def lock(url: str, name: str) -> Iterator[None]:
    """Hold a name against all other threads, processes and hosts; it ends with its holder."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        digest = hashlib.sha256(name.encode()).hexdigest()
        with locked(f"{os.path.abspath(parsed.database or '')}-{digest}"):  # noqa: PTH100
            yield
    elif parsed.get_backend_name() == "postgresql":
        with _engine(url).connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_number(name))))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_number(name))))
    else:
        raise StoreError(f"{shown(url)} has no locks that we know: lock = true is not possible")


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)

"""Locks of locations in a database; they end with their holders, and their loss is said."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from prefectx.errors import StoreError
from prefectx.stores.files.locks import locked
from prefectx.stores.sql import database

# A session that holds a lock is idle, and waits as long as it takes.
_LIMITS = ("idle_session_timeout", "lock_timeout", "statement_timeout")
_UNLIMITED = sa.text(
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN :names"
).bindparams(sa.bindparam("names", _LIMITS, expanding=True))


_log = logging.getLogger("prefectx.stores")


@contextmanager
def lock(url: str, location: str) -> Iterator[None]:
    """Lock a location against all other threads, processes and hosts; it ends with its holder.

    Raises:
        StoreError: the database is neither SQLite nor PostgreSQL, or does not answer.
    """
    address = database.parsed(url)
    if address.get_backend_name() == "sqlite":
        digest = hashlib.sha256(f"lock {location}".encode()).hexdigest()
        with locked(f"{os.path.abspath(address.database or '')}-{digest}"):  # noqa: PTH100
            yield
    elif address.get_backend_name() == "postgresql":
        with _locked_session(url, location):
            yield
    else:
        raise StoreError(
            f"lock = true is not possible in {database.shown(url)}: prefectx can lock in SQLite "
            "and PostgreSQL only"
        )


@contextmanager
def _locked_session(url: str, location: str) -> Iterator[None]:
    number = database.number(f"lock {location}")
    try:
        connection = database.ENGINES.get(url, locks=True).connect()
        try:
            connection.execute(_UNLIMITED)
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(number))):
                _log.info("Waiting for %s, which another run is making", location)
                connection.execute(sa.select(sa.func.pg_advisory_lock(number)))
        except BaseException:
            connection.close()
            raise
    except SQLAlchemyError as error:
        raise StoreError(
            f"database {database.shown(url)} failed to lock {location!r}: "
            f"{database.plain_error(error)}; check that it runs, and your permissions"
        ) from error
    with connection:
        try:
            yield
        finally:
            try:
                is_held = connection.scalar(sa.select(sa.func.pg_advisory_unlock(number)))
            except DBAPIError:
                is_held = False
            if not is_held:
                _log.warning(
                    "The lock of %s was lost: the database %s ended the connection that held it. "
                    "The output is whole, but another run may have made it at the same time",
                    location,
                    database.shown(url),
                )

"""`prefectx_items`: the table of a database that says which outputs it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from prefectx.errors import SaveError
from prefectx.stores.sql import database

# Databases limit how many values one statement may have.
_CHUNK = 500

ITEMS = sa.Table(
    "prefectx_items",
    sa.MetaData(),
    sa.Column("location", sa.Text, primary_key=True),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("table_name", sa.Text, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
    sa.Column("signature", sa.Text),
)


def make(connection: sa.Connection) -> None:
    """Make the table, if there is none."""
    database.hold(connection, ITEMS.name)
    ITEMS.metadata.create_all(connection)


def existing(connection: sa.Connection, locations: list[str]) -> set[str]:
    """Return those of `locations` that are kept, asking for hundreds at once."""
    column, found = ITEMS.c.location, set[str]()
    for start in range(0, len(locations), _CHUNK):
        chosen = column.in_(locations[start : start + _CHUNK])
        found.update(connection.scalars(sa.select(column).where(chosen)))
    return found


def beginning_with(connection: sa.Connection, prefix: str) -> Iterable[str]:
    """Return the locations that begin with `prefix`, in their order."""
    column = ITEMS.c.location
    query = sa.select(column).where(column.startswith(prefix, autoescape=True)).order_by(column)
    # Some databases take upper and lower case for the same.
    return [found for found in connection.scalars(query) if found.startswith(prefix)]


def row(connection: sa.Connection, location: str) -> Any:
    """Return what is kept of an output.

    Raises:
        FileNotFoundError: where nothing is kept there.
    """
    query = sa.select(ITEMS).where(ITEMS.c.location == location)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise FileNotFoundError(f"nothing is kept at {location!r}")
    return found


def add(connection: sa.Connection, **values: Any) -> None:
    """Add an output, saved now, with the values of the other columns."""
    connection.execute(ITEMS.insert().values(saved=datetime.now(UTC), **values))


def remove(connection: sa.Connection, location: str) -> str | None:
    """Remove an output; return the name of its table, if it has one."""
    here = ITEMS.c.location == location
    name = connection.scalar(sa.select(ITEMS.c.table_name).where(here))
    connection.execute(ITEMS.delete().where(here))
    return name


def check_own(connection: sa.Connection, table: str, *, shared: bool) -> None:
    """Refuse to touch a table that is not ours, or another output's.

    Raises:
        SaveError: where it is.
    """
    if not sa.inspect(connection).has_table(table):
        return
    query = sa.select(ITEMS.c.location).where(ITEMS.c.table_name == table).limit(1)
    owner = connection.scalar(query)
    if owner is None or not shared:
        whose = "not of prefectx" if owner is None else f"of the output {owner!r}"
        raise SaveError(f"there is a table {table!r} already, which is {whose}")

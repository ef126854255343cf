"""`prefectx_items`: the table that lists the outputs of a database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from prefectx.stores.sql import database

# Databases limit the number of values in a statement.
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


class Row(NamedTuple):
    """What the table holds of an output.

    Attributes:
        location: the output's location.
        format: the suffix of its format, or `tables.FORMAT`.
        content: its bytes; of a frame, what is needed to rebuild it from its table.
        table_name: a frame's table.
        size: its size in bytes.
        saved: when it was saved.
        signature: its signature, if there was a key.
    """

    location: str
    format: str
    content: bytes
    table_name: str | None
    size: int
    saved: datetime
    signature: str | None


def make(connection: sa.Connection) -> None:
    """Make the table, if there is none."""
    database.hold(connection, ITEMS.name)
    ITEMS.metadata.create_all(connection)


def existing(connection: sa.Connection, locations: list[str]) -> set[str]:
    """Return those of `locations` that are kept, with one query for hundreds."""
    column, found = ITEMS.c.location, set[str]()
    for start in range(0, len(locations), _CHUNK):
        chosen = column.in_(locations[start : start + _CHUNK])
        found.update(connection.scalars(sa.select(column).where(chosen)))
    return found


def beginning_with(connection: sa.Connection, prefix: str) -> Iterable[str]:
    """Return the locations that begin with `prefix`, sorted."""
    column = ITEMS.c.location
    query = sa.select(column).where(column.startswith(prefix, autoescape=True)).order_by(column)
    # Some databases ignore case.
    return [found for found in connection.scalars(query) if found.startswith(prefix)]


def row(connection: sa.Connection, location: str) -> Row:
    """Return the row of an output.

    Raises:
        FileNotFoundError: nothing is kept there.
    """
    found = find(connection, location)
    if found is None:
        raise FileNotFoundError(f"nothing is kept at {location!r}")
    return found


def find(connection: sa.Connection, location: str) -> Row | None:
    """Return the row of an output, None if nothing is kept there."""
    query = sa.select(ITEMS).where(ITEMS.c.location == location)
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    row = Row(*found)
    # SQLite returns times without their zone.
    return row if row.saved.tzinfo else row._replace(saved=row.saved.replace(tzinfo=UTC))


def add(connection: sa.Connection, row: Row) -> None:
    """Add the row of an output."""
    connection.execute(ITEMS.insert().values(row._asdict()))


def remove(connection: sa.Connection, location: str) -> None:
    """Remove the row of an output."""
    connection.execute(ITEMS.delete().where(ITEMS.c.location == location))


def another(connection: sa.Connection, table: str, location: str) -> Row | None:
    """Return the row of any output in a table but the one at `location`, None if there is none."""
    query = sa.select(ITEMS.c.location).where(
        ITEMS.c.table_name == table, ITEMS.c.location != location
    )
    found = connection.scalar(query.limit(1))
    return None if found is None else find(connection, found)

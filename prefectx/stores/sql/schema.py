"""Makes and changes tables so that they can take an output, and says what does not fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from prefectx.formats import FormatError

# The largest whole number up to which a column of 64 or 32 bits holds all of them exactly.
_EXACT = {64: 2**53, 32: 2**24}
_TEMPORARY = "_prefectx_new"


class NeedsLock(Exception):  # noqa: N818  # no error: the transaction is run again
    """The table must be made or changed, which needs its lock for this transaction alone."""


def prepare(
    connection: sa.Connection,
    defined: sa.Table,
    data: pa.Table,
    *,
    alone: bool,
    own: Collection[str],
    locked: bool,
) -> None:
    """Make a table, or change it, so that it can take an output.

    A table that fits is kept, with the views, indexes and grants that depend on it.

    Parameters:
        connection: the database.
        defined: the table that the output needs.
        data: the output, with the columns of `defined` in order.
        alone: no other output is in the table.
        own: the columns that the previous output had; others were added by somebody else.
        locked: the transaction holds the lock of the table alone.

    Raises:
        FormatError: a column of the table cannot take the output.
        NeedsLock: the table must be changed, and `locked` is false.
    """
    present = _columns(connection, defined.name)
    changes: list[Callable[[], None]] = []
    if not present:
        changes = [partial(defined.create, connection)]
    elif not alone:
        changes = list(_widening(connection, defined, data, present))
    elif not _fits(connection.dialect, defined, present, own):
        changes = [partial(defined.drop, connection), partial(defined.create, connection)]
    if changes and not locked:
        raise NeedsLock
    for change in changes:
        change()


def _columns(connection: sa.Connection, name: str) -> dict[str, TypeEngine[Any]]:
    inspector = sa.inspect(connection)
    if not inspector.has_table(name):
        return {}
    return {column["name"]: column["type"] for column in inspector.get_columns(name)}


def _fits(
    dialect: sa.Dialect,
    defined: sa.Table,
    present: dict[str, TypeEngine[Any]],
    own: Collection[str],
) -> bool:
    wanted = [(column.name, column.type.compile(dialect)) for column in defined.columns]
    names = {name for name, _ in wanted}.union(own)
    ours = [(name, kind.compile(dialect)) for name, kind in present.items() if name in names]
    return ours == wanted


def _widening(
    connection: sa.Connection,
    defined: sa.Table,
    data: pa.Table,
    present: dict[str, TypeEngine[Any]],
) -> Iterator[Callable[[], None]]:
    """Yield the changes after which a table that others share can take an output, too."""
    values = dict(zip(data.column_names, data.columns, strict=True))
    for column in defined.columns:
        kind = present.get(column.name)
        if kind is None:
            yield partial(_add, connection, defined, column)
            continue
        arrow = values.get(column.name)
        same = kind.compile(connection.dialect) == column.type.compile(connection.dialect)
        if same or arrow is None or arrow.null_count == len(arrow):
            continue
        if _is_empty(connection, defined, column):
            yield partial(_change, connection, defined, column, column.type)
            continue
        wider = _wider(connection, defined, column, kind, arrow)
        if wider is not None:
            yield partial(_change, connection, defined, column, wider)


def _wider(
    connection: sa.Connection,
    defined: sa.Table,
    column: sa.Column[Any],
    kind: TypeEngine[Any],
    values: pa.ChunkedArray,
) -> TypeEngine[Any] | None:
    """Return the type that holds a column's present values and new ones; None to keep its own."""
    wanted, dialect = column.type, connection.dialect
    what = f"the column {column.name!r} of the table {defined.name!r} is {kind.compile(dialect)}"
    if isinstance(kind, sa.Integer) and isinstance(wanted, sa.Integer):
        return wanted if _bits(wanted) > _bits(kind) else None
    if isinstance(kind, sa.Integer) and isinstance(wanted, sa.Float):
        if not _is_exact(connection, defined, column, _EXACT[64]):
            raise FormatError(
                f"{what} with numbers that {wanted.compile(dialect)}, which it is here, cannot "
                "hold exactly; the calls that share a table need columns of one type"
            )
        return sa.Double()
    if isinstance(kind, sa.Float) and isinstance(wanted, sa.Float):
        return wanted if _bits(wanted) > _bits(kind) else None
    if isinstance(kind, sa.Float) and isinstance(wanted, sa.Integer):
        lowest, highest = pc.min_max(values).as_py().values()
        if max(-lowest, highest) <= _EXACT[_bits(kind)]:
            return None
        if max(-lowest, highest) <= _EXACT[64]:
            return sa.Double()
        raise FormatError(
            f"{what}, which cannot hold the whole numbers here exactly; the calls that share a "
            "table need columns of one type"
        )
    raise FormatError(
        f"{what}, and {wanted.compile(dialect)} here: the calls that share a table need columns "
        "of one type"
    )


def _bits(kind: TypeEngine[Any]) -> int:
    if isinstance(kind, sa.SmallInteger):
        return 16
    return 64 if isinstance(kind, sa.BigInteger | sa.Double) else 32


def _is_empty(connection: sa.Connection, defined: sa.Table, column: sa.Column[Any]) -> bool:
    query = sa.select(sa.literal(1)).select_from(defined).where(column.is_not(None)).limit(1)
    return connection.scalar(query) is None


def _is_exact(
    connection: sa.Connection, defined: sa.Table, column: sa.Column[Any], most: int
) -> bool:
    number: sa.ColumnElement[Any] = sa.literal_column(_quoted(connection, column))
    beyond = sa.or_(number > most, number < -most)
    query = sa.select(sa.literal(1)).select_from(defined).where(beyond).limit(1)
    return connection.scalar(query) is None


def _add(connection: sa.Connection, defined: sa.Table, column: sa.Column[Any]) -> None:
    kind = column.type.compile(connection.dialect)
    _alter(connection, defined, f"ADD COLUMN {_quoted(connection, column)} {kind}")


def _change(
    connection: sa.Connection, defined: sa.Table, column: sa.Column[Any], type_: TypeEngine[Any]
) -> None:
    """Change the type of a column whose values are numbers that stay the same, or all missing."""
    name, kind = _quoted(connection, column), type_.compile(connection.dialect)
    if connection.dialect.name != "sqlite":
        value = "NULL" if _is_empty(connection, defined, column) else name
        change = f"ALTER COLUMN {name} TYPE {kind} USING CAST({value} AS {kind})"
        _alter(connection, defined, change)
        return
    _alter(connection, defined, f"ADD COLUMN {_TEMPORARY} {kind}")
    table = connection.dialect.identifier_preparer.format_table(defined)
    connection.exec_driver_sql(f"UPDATE {table} SET {_TEMPORARY} = {name}")
    _alter(connection, defined, f"DROP COLUMN {name}")
    _alter(connection, defined, f"RENAME COLUMN {_TEMPORARY} TO {name}")


def _alter(connection: sa.Connection, defined: sa.Table, change: str) -> None:
    table = connection.dialect.identifier_preparer.format_table(defined)
    connection.exec_driver_sql(f"ALTER TABLE {table} {change}")


def _quoted(connection: sa.Connection, column: sa.Column[Any]) -> str:
    return connection.dialect.identifier_preparer.format_column(column)

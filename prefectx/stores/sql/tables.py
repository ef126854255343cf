"""Arrow tables as tables of a database: typed columns, ordered rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from prefectx.formats import FormatError
from prefectx.stores.sql import schema
from prefectx.stores.sql.template import describe, negative_zeros, restore_signs, undescribe

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    ColumnType = TypeEngine[Any] | type[TypeEngine[Any]]

# The column that keeps the order of the rows.
ROW = "_row"
# PostgreSQL truncates longer names, so that two could become the same.
_LONGEST_NAME = 63
_BATCH = 5_000
# What `prefectx_items` calls the format of a frame.
FORMAT = "table"


class Key(NamedTuple):
    """The column that identifies the outputs of a shared table, and the value of one output."""

    column: str
    value: str


def table_name(location: str, dialect: str) -> str:
    """Name the table of a location: the location, or a unique short name with a hash."""
    folded = dialect == "sqlite" and location != location.lower()
    reserved = location.lower().startswith(("sqlite_", "prefectx_"))
    if len(location.encode()) <= _LONGEST_NAME and not folded and not reserved:
        return location
    digest = hashlib.sha256(location.encode()).hexdigest()[:12]
    readable = location.encode()[: _LONGEST_NAME - 14].decode(errors="ignore").lower()
    return f"t{readable}-{digest}" if reserved else f"{readable}-{digest}"


def write(
    connection: sa.Connection,
    name: str,
    table: pa.Table,
    key: Key | None,
    *,
    alone: bool,
    own: Collection[str],
    locked: bool,
) -> None:
    """Make the table if there is none, change it if it does not fit, and insert the rows.

    Parameters:
        connection: the database.
        name: the name of the table.
        table: the rows.
        key: what tells them from those of other outputs; None if they have a table of their own.
        alone: no other output is in the table.
        own: the columns that the previous output had.
        locked: the transaction holds the lock of the table alone.

    Raises:
        FormatError: the table cannot hold this data.
        NeedsLock: the table must be changed, and `locked` is false.
    """
    defined = _define(connection, name, table.schema, key)
    schema.prepare(connection, defined, table, alone=alone, own=own, locked=locked)
    for batch in _rows(table, connection.dialect.name, key):
        connection.execute(defined.insert(), batch)


def template(table: pa.Table, key: Key | None, dialect: str) -> bytes:
    """Return what rebuilds a table from the rows that `write` inserts."""
    signs = negative_zeros(_plain(table, dialect)) if dialect == "sqlite" else {}
    return describe(table, None if key is None else key.column, signs)


def read(connection: sa.Connection, name: str, template: bytes, key: Key | None) -> pa.Table:
    """Return the Arrow table that was written, with the present rows of the database."""
    empty, rows, signs = undescribe(template)
    defined = _define(connection, name, empty.schema, key)
    columns = [column for column in defined.columns if column.key.startswith("c")]
    query = sa.select(*(columns or [defined.c.row])).order_by(defined.c.row)
    if key is not None:
        query = query.where(defined.c.key == key.value)
    found = connection.execute(query).all()
    # Rows that somebody added or removed have moved the others.
    return _from_rows(found, empty, connection.dialect.name, signs if rows == len(found) else {})


def remove(connection: sa.Connection, name: str, key: Key | None) -> None:
    """Remove the rows of a frame from its table."""
    if sa.inspect(connection).has_table(name):
        columns = [] if key is None else [sa.Column(key.column, sa.Text)]
        bare = sa.Table(name, sa.MetaData(), *columns)
        rows = bare.delete()
        connection.execute(rows if key is None else rows.where(bare.c[key.column] == key.value))


def drop(connection: sa.Connection, name: str) -> None:
    """Remove a table, if it exists."""
    sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)


def _define(connection: sa.Connection, name: str, fields: pa.Schema, key: Key | None) -> sa.Table:
    dialect = connection.dialect.name
    own = [ROW] if key is None else [ROW, key.column]
    taken = {name.lower() for name in own}
    for field in fields.names:
        if not 0 < len(field.encode()) <= _LONGEST_NAME or field.lower() in taken:
            raise FormatError(
                f"a database table cannot have a column {field!r}: use a name of 1 to "
                f"{_LONGEST_NAME} bytes that is not {' or '.join(own)}"
            )
    columns = [
        sa.Column(field.name, _column_type(field, dialect), key=f"c{i}")
        for i, field in enumerate(fields)
    ]
    keys = [] if key is None else [sa.Column(key.column, sa.Text, key="key")]
    return sa.Table(name, sa.MetaData(), *keys, *columns, sa.Column(ROW, sa.BigInteger, key="row"))


def _column_type(field: pa.Field, dialect: str) -> ColumnType:
    kind = _plain_type(field.type, dialect)
    if pa.types.is_boolean(kind):
        return sa.Boolean
    if pa.types.is_integer(kind):
        return _integer_type(kind)
    if pa.types.is_floating(kind):
        return sa.Double if kind == pa.float64() else sa.REAL
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    for matches, column in _TYPES:
        if matches(kind):
            return column
    raise FormatError(f"a database column cannot hold {field.name!r}, which is {field.type}")


_TYPES = [
    (pa.types.is_string, sa.Text),
    (pa.types.is_binary, sa.LargeBinary),
    (pa.types.is_date, sa.Date),
    (pa.types.is_time, sa.Time),
    (pa.types.is_null, sa.Text),
]


def _integer_type(kind: pa.DataType) -> ColumnType:
    if kind == pa.uint64():
        return sa.Numeric(20, 0)
    bits = kind.bit_width + pa.types.is_unsigned_integer(kind)
    return sa.SmallInteger if bits <= 16 else sa.Integer if bits <= 32 else sa.BigInteger


def _plain_type(kind: pa.DataType, dialect: str) -> pa.DataType:
    """Return the type in which a column travels to and from the database."""
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type, dialect)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", None if kind.tz is None else "UTC")
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_time(kind):
        return pa.time64("us")
    if pa.types.is_duration(kind):
        return pa.int64()
    if dialect == "sqlite" and (pa.types.is_decimal(kind) or kind == pa.uint64()):
        # SQLite would store a floating-point number.
        return pa.string()
    return kind


def _rows(table: pa.Table, dialect: str, key: Key | None) -> Iterator[list[dict[str, object]]]:
    plain = _plain(table, dialect)
    fixed = {} if key is None else {"key": key.value}
    # The database may have given a column a type meanwhile: None of no type fits all of them.
    typed = [name for name in plain.column_names if not pa.types.is_null(plain[name].type)]
    plain = plain.select(typed)
    for start in range(0, table.num_rows, _BATCH):
        numbers = range(start, min(start + _BATCH, table.num_rows))
        batch = plain.slice(start, _BATCH)
        values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        yield [
            {**fixed, "row": number, **dict(zip(typed, row, strict=True))}
            for number, row in zip(numbers, values if typed else [()] * len(numbers), strict=True)
        ]


def _plain(table: pa.Table, dialect: str) -> pa.Table:
    """Return a table of plain types with the columns `c0`, `c1`, ..."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        try:
            column = column.cast(_plain_type(field.type, dialect))
        except pa.ArrowInvalid as error:
            raise FormatError(f"a database column cannot hold {field.name!r}: {error}") from error
        is_floating = pa.types.is_floating(column.type)
        if dialect == "sqlite" and is_floating and pc.any(pc.is_nan(column)).as_py():
            raise FormatError(f"SQLite has no NaN, which is in {field.name!r}: make it null")
        columns.append(column)
    return pa.Table.from_arrays(columns, names=[f"c{i}" for i in range(len(columns))])


def _from_rows(
    found: Sequence[sa.Row[tuple[object, ...]]],
    empty: pa.Table,
    dialect: str,
    signs: Mapping[str, str],
) -> pa.Table:
    if not empty.num_columns:
        numbered = pa.table({"c": pa.nulls(len(found))}).drop_columns("c")
        return numbered.replace_schema_metadata(empty.schema.metadata)
    values = [list(column) for column in zip(*found, strict=True)]
    values = values or [[] for _ in empty.columns]
    for name, packed in signs.items():
        restore_signs(values[int(name[1:])], packed)
    columns = [
        _restored(column, like, dialect) for column, like in zip(values, empty.columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=empty.schema)


def _restored(values: list[object], like: pa.ChunkedArray, dialect: str) -> pa.Array:
    plain = _plain_type(like.type, dialect)
    if plain == pa.uint64():
        plain = pa.decimal128(20, 0)
    array = pa.array(values, type=plain)
    if not pa.types.is_dictionary(like.type):
        return array.cast(like.type)
    categories = like.combine_chunks().dictionary
    codes = pc.index_in(array.cast(categories.type), categories).cast(like.type.index_type)
    return pa.DictionaryArray.from_arrays(codes, categories, ordered=like.type.ordered)

"""Arrow tables as tables of a database: typed columns, ordered rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import sqlalchemy as sa

from prefectx.formats import FormatError

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


def template(table: pa.Table) -> bytes:
    """Return all of a table except its values, as bytes."""
    sink = pa.BufferOutputStream()
    # One empty row, as a column without rows loses its categories.
    columns = [_one_null(column) for column in table.columns]
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(pa.Table.from_arrays(columns, schema=table.schema))
    return bytes(sink.getvalue())


def _one_null(column: pa.ChunkedArray) -> pa.Array:
    if not pa.types.is_dictionary(column.type):
        return pa.nulls(1, column.type)
    categories = column.combine_chunks().dictionary
    code = pa.nulls(1, column.type.index_type)
    return pa.DictionaryArray.from_arrays(code, categories, ordered=column.type.ordered)


def write(connection: sa.Connection, name: str, table: pa.Table, key: Key | None) -> None:
    """Make the table if there is none, add missing columns, and insert the rows."""
    defined = _define(connection, name, table.schema, key)
    defined.metadata.create_all(connection)
    if key is not None:
        present = {column["name"] for column in sa.inspect(connection).get_columns(name)}
        for column in defined.columns:
            if column.name not in present:
                quoted = connection.dialect.identifier_preparer
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {quoted.format_table(defined)} "
                    f"ADD COLUMN {quoted.format_column(column)} {kind}"
                )
    for batch in _rows(table, connection.dialect.name, key):
        connection.execute(defined.insert(), batch)


def read(connection: sa.Connection, name: str, template: bytes, key: Key | None) -> pa.Table:
    """Return the Arrow table that was written, with the present rows of the database."""
    empty = pa.ipc.open_stream(template).read_all()
    defined = _define(connection, name, empty.schema, key)
    columns = [column for column in defined.columns if column.key.startswith("c")]
    query = sa.select(*(columns or [defined.c.row])).order_by(defined.c.row)
    if key is not None:
        query = query.where(defined.c.key == key.value)
    found = connection.execute(query).all()
    return _from_rows(found, empty, connection.dialect.name)


def remove(connection: sa.Connection, name: str, key: Key | None) -> None:
    """Remove a frame: its table, or its rows in the table that it shares."""
    bare = sa.Table(name, sa.MetaData(), *([] if key is None else [sa.Column(key.column, sa.Text)]))
    if key is None:
        bare.drop(connection, checkfirst=True)
    elif sa.inspect(connection).has_table(name):
        connection.execute(bare.delete().where(bare.c[key.column] == key.value))


def _define(connection: sa.Connection, name: str, schema: pa.Schema, key: Key | None) -> sa.Table:
    dialect = connection.dialect.name
    own = [ROW] if key is None else [ROW, key.column]
    taken = {name.lower() for name in own}
    for field in schema.names:
        if not 0 < len(field.encode()) <= _LONGEST_NAME or field.lower() in taken:
            raise FormatError(
                f"a database table cannot have a column {field!r}: use a name of 1 to "
                f"{_LONGEST_NAME} bytes that is not {' or '.join(own)}"
            )
    columns = [
        sa.Column(field.name, _column_type(field, dialect), key=f"c{i}")
        for i, field in enumerate(schema)
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
    names = plain.column_names
    for start in range(0, plain.num_rows, _BATCH):
        batch = plain.slice(start, _BATCH)
        values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        yield [
            {**fixed, "row": start + i, **dict(zip(names, row, strict=True))}
            for i, row in enumerate(values if names else [()] * batch.num_rows)
        ]


def _plain(table: pa.Table, dialect: str) -> pa.Table:
    """Return a table of plain types with the columns `c0`, `c1`, ..."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        column = column.cast(_plain_type(field.type, dialect))
        is_floating = pa.types.is_floating(column.type)
        if dialect == "sqlite" and is_floating and pc.any(pc.is_nan(column)).as_py():
            raise FormatError(f"SQLite has no NaN, which is in {field.name!r}: make it null")
        columns.append(column)
    return pa.Table.from_arrays(columns, names=[f"c{i}" for i in range(len(columns))])


def _from_rows(
    found: Sequence[sa.Row[tuple[object, ...]]], empty: pa.Table, dialect: str
) -> pa.Table:
    if not empty.num_columns:
        numbered = pa.table({"c": pa.nulls(len(found))}).drop_columns("c")
        return numbered.replace_schema_metadata(empty.schema.metadata)
    values = list(zip(*found, strict=True)) or [()] * empty.num_columns
    columns = [
        _restored(list(column), like, dialect)
        for column, like in zip(values, empty.columns, strict=True)
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

"""SqlStore: outputs in a database, where any client can query them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from prefectx.errors import CorruptItemError, MissingDependencyError, SaveError, StoreError
from prefectx.formats import Format, get_format, known_suffix
from prefectx.formats.frames import is_frame
from prefectx.item import ItemInfo, Store
from prefectx.stores import database, tables
from prefectx.stores.content import dumped, parsed
from prefectx.stores.reasons import is_passed_on, load_error, pickle_refused, save_error

Result = TypeVar("Result")

# Databases limit how many values one statement may have.
_CHUNK = 500

_items = sa.Table(
    "prefectx_items",
    sa.MetaData(),
    sa.Column("location", sa.Text, primary_key=True),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("table_name", sa.Text, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("saved", sa.DateTime(timezone=True), nullable=False),
)
_indexed: set[tuple[str, int]] = set()


class SqlStore(Store):
    """Keep outputs in a database: a data frame as a table, anything else as a row.

    A location is the name of the frame's table, so `target = "sales_{year}"` makes the tables
    `sales_2024`, `sales_2025`. All other outputs, and what is needed to give a frame back as it
    was, are rows of the table `prefectx_items`.

    Parameters:
        url: the database, as SQLAlchemy writes it: `sqlite:////data/results.db`,
            `postgresql://user:password@host/database`.
        append: put the frames whose locations differ in the last part only into one table, told
            apart by the column `key`: with `target = "{funcname}/{path.stem}"` the calls of a
            task make one table of the task's name.
        key: the name of that column.
        exact: read back what was written, and refuse to save what would come back different.
        allow_pickle: with false, refuse to save and to load pickles: loading one runs code.

    Raises:
        ConfigError: where `url` is not a URL of a database.
        MissingDependencyError: where the database's driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        append: bool = False,
        key: str = "key",
        exact: bool = True,
        allow_pickle: bool = True,
    ) -> None:
        self.database = database.shown(url)
        self.append = append
        self.key = key
        self.exact = exact
        self.allow_pickle = allow_pickle
        # Hidden from the repr: there may be a password in it.
        self._url = url

    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`."""
        return bool(self.exists_many([location]))

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist, asking for hundreds at once."""
        wanted = list(locations)
        column = _items.c.location

        def find(connection: sa.Connection) -> set[str]:
            found: set[str] = set()
            for start in range(0, len(wanted), _CHUNK):
                chosen = column.in_(wanted[start : start + _CHUNK])
                found.update(connection.scalars(sa.select(column).where(chosen)))
            return found

        return self._run(find)

    def save(self, location: str, data: Any) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: where it cannot be kept; what was there before is as it was.
        """
        save, kind = (self._save_frame, "table") if is_frame(data) else (self._save_row, "row")
        try:
            self._transact(lambda connection: save(connection, location, data), writes=True)
        except MissingDependencyError:
            raise
        except Exception as error:
            where = f"{location} in {self.database}"
            raise save_error(where, f"a {kind}", data, _plain_error(error)) from error

    def load(self, location: str) -> Any:
        """Read the output at `location` back.

        Raises:
            FileNotFoundError: where nothing is kept there.
            CorruptItemError: where what is kept cannot be read.
            StoreError: where the database does not answer, or keeps a pickle and none is allowed.
        """
        return self._run(lambda connection: self._load(connection, location))

    def delete(self, location: str) -> None:
        """Remove the output at `location`; nothing happens where there is none."""
        self._run(lambda connection: self._remove(connection, location), writes=True)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`."""
        column = _items.c.location
        query = sa.select(column).where(column.startswith(prefix, autoescape=True)).order_by(column)
        found = self._run(lambda connection: connection.scalars(query).all())
        # Some databases take upper and lower case for the same.
        return (location for location in found if location.startswith(prefix))

    def info(self, location: str) -> ItemInfo:
        """Tell size and time saved of the output at `location`."""
        row = self._run(lambda connection: _found(connection, location))
        saved = row.saved if row.saved.tzinfo else row.saved.replace(tzinfo=UTC)
        return ItemInfo(row.size, saved)

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context in which no other thread, process or host has the lock of `location`.

        Raises:
            StoreError: where the database has no such locks.
        """
        return database.lock(self._url, f"lock {location}")

    def suffix(self, location: str) -> str:
        """Return the part of the location that says the format (`.json.gz`), or ""."""
        return known_suffix(location.rpartition("/")[2])

    def _run(self, action: Callable[[sa.Connection], Result], *, writes: bool = False) -> Result:
        try:
            return self._transact(action, writes=writes)
        except SQLAlchemyError as error:
            raise StoreError(
                f"the database {self.database} does not do it: {_plain_error(error)}; check that "
                "it runs and what you may do there"
            ) from error

    def _transact(
        self, action: Callable[[sa.Connection], Result], *, writes: bool = False
    ) -> Result:
        is_sqlite = self._url.startswith("sqlite")
        if not is_sqlite and (self._url, os.getpid()) not in _indexed:
            database.transact(self._url, _make_index, writes=True)
            _indexed.add((self._url, os.getpid()))

        def indexed(connection: sa.Connection) -> Result:
            # SQLite's file may be another one than it was; asking it costs nothing.
            if is_sqlite:
                _make_index(connection)
            return action(connection)

        return database.transact(self._url, indexed, writes=writes)

    def _save_row(self, connection: sa.Connection, location: str, data: Any) -> None:
        format = self._format(location, self.suffix(location) or ".pkl")
        content = dumped(data, format, exact=self.exact)
        self._remove(connection, location)
        _insert(connection, location, format.suffix, content, len(content))

    def _save_frame(self, connection: sa.Connection, location: str, frame: Any) -> None:
        self._remove(connection, location)
        name, key = self._place(connection, location)
        table = tables.prepared(frame, exact=self.exact)
        _check_own(connection, name, location, shared=self.append)
        tables.write(connection, name, table, key)
        _insert(connection, location, tables.FORMAT, tables.template(table), table.nbytes, name)
        if self.exact:
            tables.check(frame, self._load_frame(connection, _found(connection, location)))

    def _load(self, connection: sa.Connection, location: str) -> Any:
        database.hold(connection, location, shared=True)
        row = _found(connection, location)
        if row.format == tables.FORMAT:
            return self._load_frame(connection, row)
        format = self._format(location, row.format)
        try:
            return parsed(row.content, format)
        except Exception as error:
            if is_passed_on(error):
                raise
            raise load_error(location, format, error) from error

    def _load_frame(self, connection: sa.Connection, row: Any) -> Any:
        _, key = self._place(connection, row.location)
        try:
            return tables.read(connection, row.table_name, row.content, key)
        except (SQLAlchemyError, ValueError, TypeError) as error:
            raise CorruptItemError(
                f"the table {row.table_name!r} of {row.location} in {self.database} cannot be "
                f"read: {_plain_error(error)}. Delete the item and run again, and its task will "
                "make it anew"
            ) from error

    def _remove(self, connection: sa.Connection, location: str) -> None:
        database.hold(connection, location)
        query = sa.select(_items.c.table_name).where(_items.c.location == location)
        name = connection.scalar(query)
        if name is not None:
            _, key = self._place(connection, location)
            tables.remove(connection, name, key)
        connection.execute(_items.delete().where(_items.c.location == location))

    def _place(self, connection: sa.Connection, location: str) -> tuple[str, tables.Key | None]:
        """Return the name of a frame's table, and the key of its rows where it shares one."""
        name, slash, last = location.rpartition("/") if self.append else (location, "", "")
        if self.append and not (name and slash and last):
            raise StoreError(
                f"append = true needs a target of two parts, such as '{{funcname}}/{{base}}': "
                f"{location!r} has no table or no key"
            )
        key = tables.Key(self.key, last) if self.append else None
        return tables.table_name(name, connection.dialect.name), key

    def _format(self, location: str, suffix: str) -> Format:
        format = get_format(suffix)
        if format.runs_code and not self.allow_pickle:
            raise pickle_refused(location)
        return format


def _plain_error(error: Exception) -> Exception:
    """Return the driver's own error: SQLAlchemy's text holds the whole statement."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else error


def _found(connection: sa.Connection, location: str) -> Any:
    row = connection.execute(sa.select(_items).where(_items.c.location == location)).one_or_none()
    if row is None:
        raise FileNotFoundError(f"nothing is kept at {location!r}")
    return row


def _insert(
    connection: sa.Connection,
    location: str,
    format: str,
    content: bytes,
    size: int,
    table_name: str | None = None,
) -> None:
    connection.execute(
        _items.insert().values(
            location=location,
            format=format,
            content=content,
            size=size,
            table_name=table_name,
            saved=datetime.now(UTC),
        )
    )


def _check_own(connection: sa.Connection, name: str, location: str, *, shared: bool) -> None:
    """Refuse to touch a table that is not ours, or another output's."""
    if not sa.inspect(connection).has_table(name):
        return
    owners = connection.scalars(
        sa.select(_items.c.location).where(_items.c.table_name == name).limit(1)
    ).all()
    if not (owners and shared):
        owner = f"of the output {owners[0]!r}" if owners else "not of prefectx"
        raise SaveError(f"there is a table {name!r} already, which is {owner}")


def _make_index(connection: sa.Connection) -> None:
    database.hold(connection, "prefectx_items")
    _items.metadata.create_all(connection)

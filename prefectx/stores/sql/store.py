"""SqlStore: outputs in a database, where any client can query them.

Longer than 250 lines as one class: how an output is saved and loaded in both of its forms.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
import xxhash
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from prefectx.errors import (
    ConfigError,
    CorruptItemError,
    MissingDependencyError,
    SaveError,
    StoreError,
)
from prefectx.formats import Format, frames, frames_equal, get_format, known_suffix
from prefectx.formats.library_types import Frame
from prefectx.item import WRITTEN, ItemInfo, Store, Written
from prefectx.stores.error_messages import (
    UNWRAPPED,
    load_error,
    not_signed,
    pickle_refused,
    save_error,
)
from prefectx.stores.files.filestore import check_loadable, write
from prefectx.stores.secrets import WITHHELD, Secret
from prefectx.stores.signing import SigningKey
from prefectx.stores.sql import database, index, locks, schema, tables
from prefectx.stores.sql.fingerprint import table_fingerprint
from prefectx.stores.sql.template import column_names, key_column

Result = TypeVar("Result")


class SqlStore(Store):
    """Keep outputs in a database: a data frame as a table, anything else as a row.

    A location is the name of the frame's table, so `target = "sales_{year}"` makes the tables
    `sales_2024`, `sales_2025`. All other outputs, and the details that rebuild a frame exactly,
    are rows of the table `prefectx_items`.

    Parameters:
        url: the database, as SQLAlchemy writes it: `sqlite:////data/results.db`,
            `postgresql://user:password@host/database`.
        append: keep frames whose locations differ only in the last part in one table, with that
            part in the column `key`: with `target = "{funcname}/{path.stem}"` all calls of a
            task share one table named after the task.
        key: the name of that column.
        exact: read back what was written, and refuse to save data that would come back different.
        allow_pickle: if false, refuse to save and to load pickles: loading one runs code.
        signing_key: sign outputs, and refuse to load what is not signed with this key.

    Raises:
        ConfigError: `url` is not the URL of a database.
    """

    def __init__(
        self,
        url: str,
        *,
        append: bool = False,
        key: str = "key",
        exact: bool = True,
        allow_pickle: bool = True,
        signing_key: str | None = None,
    ) -> None:
        self.database = database.shown(url)
        self.append = append
        self.key = key
        self.exact = exact
        self.allow_pickle = allow_pickle
        self.signing_key = None if signing_key is None else SigningKey(signing_key)
        self._url = Secret(url)

    def exists(self, location: str) -> bool:
        """Tell whether a whole output is kept at `location`."""
        return bool(self.exists_many([location]))

    def exists_many(self, locations: Iterable[str]) -> set[str]:
        """Return those of `locations` that exist, with one query for hundreds."""
        wanted = list(locations)
        return self._run(lambda connection: index.existing(connection, wanted))

    def save(self, location: str, data: object) -> None:
        """Keep `data` at `location`, replacing what is there; all of it or nothing.

        Raises:
            SaveError: it cannot be kept; what was there before is unchanged.
        """
        is_frame = frames.is_frame(data)
        try:
            if is_frame:
                self._save_frame(location, data)
            else:
                self._transact(lambda found: self._save_row(found, location, data), writes=True)
        except (ConfigError, MissingDependencyError):
            raise
        except Exception as error:
            where = f"{location} in {self.database}"
            kind = "a table" if is_frame else "a row"
            raise save_error(where, kind, data, _driver_error(error)) from error

    def load(self, location: str) -> Any:
        """Read the output at `location`.

        Raises:
            FileNotFoundError: nothing is kept there.
            CorruptItemError: the output cannot be read, or has no valid signature.
            StoreError: the database does not answer, or the output is a pickle and those are not
                allowed.
        """
        return self._run(lambda connection: self._load(connection, location))

    def delete(self, location: str) -> None:
        """Remove the output at `location`, if there is one."""
        self._run(lambda connection: self._remove(connection, location), writes=True)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the locations that begin with `prefix`."""
        return iter(self._run(lambda connection: index.beginning_with(connection, prefix)))

    def info(self, location: str) -> ItemInfo:
        """Return the size of the output at `location` and when it was saved."""
        row = self._run(lambda connection: index.row(connection, location))
        return ItemInfo(row.size, row.saved)

    def version(self, location: str) -> str | None:
        """Return the fingerprint of what is stored at `location`, which is read for it."""

        def version(connection: sa.Connection) -> str:
            row = index.row(connection, location)
            if row.format != tables.FORMAT:
                return xxhash.xxh3_128(row.content).hexdigest()
            name, key = row.table_name or "", self._key(row)
            return table_fingerprint(tables.read(connection, name, row.content, key))

        return self._run(version)

    def lock(self, location: str) -> AbstractContextManager[None]:
        """Return a context that holds the lock of `location` against all threads and hosts.

        Raises:
            StoreError: the database has no such locks.
        """
        return locks.lock(self._url.get(), location)

    def suffix(self, location: str) -> str:
        """Return the part of the location that says its format (`.json.gz`), or ""."""
        return known_suffix(location.rpartition("/")[2])

    def _run(self, action: Callable[[sa.Connection], Result], *, writes: bool = False) -> Result:
        try:
            return self._transact(action, writes=writes)
        except SQLAlchemyError as error:
            raise StoreError(
                f"database {self.database} failed: {database.plain_error(error)}; check that it "
                "runs, and your permissions"
            ) from error

    def _transact(
        self, action: Callable[[sa.Connection], Result], *, writes: bool = False
    ) -> Result:
        url, is_sqlite = self._url.get(), self.database.startswith("sqlite")
        if not is_sqlite and not database.ENGINES.is_prepared(url):
            database.transact(url, index.make, writes=True)
            database.ENGINES.set_prepared(url)

        def indexed(connection: sa.Connection) -> Result:
            # SQLite's file may have been replaced; asking costs next to nothing.
            if is_sqlite:
                index.make(connection)
            return action(connection)

        return database.transact(url, indexed, writes=writes)

    def _save_row(self, connection: sa.Connection, location: str, data: object) -> None:
        format = self._format(location, self.suffix(location) or ".pkl")
        stream = io.BytesIO()
        token = WITHHELD.set(True)
        try:
            write(format, data, stream)
        finally:
            WITHHELD.reset(token)
        stream.seek(0)
        if self.exact and format.verify is not None:
            format.verify(data, stream)
        elif self.exact and format.runs_code:
            check_loadable(format, stream)
        self._remove(connection, location)
        content = stream.getvalue()
        self._add(connection, location, format.suffix, content, size=len(content))
        if (written := WRITTEN.get()) is not None:
            written(Written(xxhash.xxh3_128(content).hexdigest(), len(content), None))

    def _save_frame(self, location: str, frame: Frame) -> None:
        if self.exact:
            frames.verify_arrow(frame)

        def save(connection: sa.Connection) -> None:
            self._replace_frame(connection, location, frame, locked=not self.append)

        try:
            self._transact(save, writes=True)
        except schema.NeedsLock:
            self._transact(
                lambda found: self._replace_frame(found, location, frame, locked=True), writes=True
            )

    def _replace_frame(
        self, connection: sa.Connection, location: str, frame: Frame, *, locked: bool
    ) -> None:
        dialect = connection.dialect.name
        name, key = self._place(location, dialect)
        database.hold(connection, location)
        # The calls that share a table insert side by side; one that changes it waits for them.
        database.hold(connection, f"table {name}", shared=not locked)
        alone = self._check_own(connection, location, name, key)
        old, own = index.find(connection, location), list[str]()
        if old is not None and old.table_name == name and self._key(old) == key:
            own = [*column_names(old.content), tables.ROW]
            index.remove(connection, location)
            tables.remove(connection, name, key)
        else:
            self._remove(connection, location)
        table = frames.to_arrow(frame).unify_dictionaries()
        tables.write(connection, name, table, key, alone=alone, own=own, locked=locked)
        template, digest = tables.template(table, key, dialect), ""
        if self.exact or self.signing_key:
            back = tables.read(connection, name, template, key)
            if self.exact:
                frames_equal.check(frame, frames.from_arrow(back))
            # Of what the database returns, whose times may be coarser.
            digest = frames.digest(back) if self.signing_key else ""
        if (written := WRITTEN.get()) is not None:
            stored = back if self.exact or self.signing_key else table
            written(Written(table_fingerprint(stored), table.nbytes, None))
        self._add(
            connection, location, tables.FORMAT, template, digest, size=table.nbytes, table=name
        )

    def _check_own(
        self, connection: sa.Connection, location: str, name: str, key: tables.Key | None
    ) -> bool:
        """Tell whether no other output is in a table.

        Raises:
            SaveError: the table is not ours, or another output's and not shared.
        """
        other = index.another(connection, name, location)
        if other is None:
            old = index.find(connection, location)
            is_ours = old is not None and old.table_name == name
            if not is_ours and sa.inspect(connection).has_table(name):
                raise SaveError(f"the table {name!r} exists already and is not of prefectx")
            return True
        column = self._key(other)
        if key is None or column is None:
            raise SaveError(
                f"the table {name!r} exists already and is of the output {other.location!r}"
            )
        if column.column != key.column:
            raise SaveError(
                f"the table {name!r} has its key in the column {column.column!r}, and not in "
                f"{key.column!r}: set key = {column.column!r} for this store"
            )
        return False

    def _add(
        self,
        connection: sa.Connection,
        location: str,
        format: str,
        content: bytes,
        digest: str = "",
        *,
        size: int,
        table: str | None = None,
    ) -> None:
        signature = None
        if self.signing_key is not None:
            signature = self.signing_key.sign(location, format, content, digest)
            signature = f"{signature} {digest}".rstrip()
        saved = datetime.now(UTC)
        index.add(connection, index.Row(location, format, content, table, size, saved, signature))

    def _load(self, connection: sa.Connection, location: str) -> object:
        database.hold(connection, location, shared=True)
        row = index.row(connection, location)
        digest = self._signed_digest(row)
        if row.format == tables.FORMAT:
            return self._load_frame(connection, row, digest)
        format = self._format(location, row.format)
        try:
            return format.load(io.BytesIO(row.content))
        except UNWRAPPED:
            raise
        except Exception as error:
            raise load_error(location, format, error) from error

    def _load_frame(self, connection: sa.Connection, row: index.Row, digest: str) -> Frame:
        try:
            table = tables.read(connection, row.table_name or "", row.content, self._key(row))
            if self.signing_key is None or digest == frames.digest(table):
                return frames.from_arrow(table)
        except (SQLAlchemyError, ValueError, TypeError) as error:
            if isinstance(error, DBAPIError) and not database.is_about_tables(error):
                raise
            raise CorruptItemError(
                f"the table {row.table_name!r} of {row.location} in {self.database} cannot be "
                f"read: {database.plain_error(error)}. Delete the item and run again: its task "
                "recreates it"
            ) from error
        raise not_signed(f"{row.location} in {self.database}")

    def _signed_digest(self, row: index.Row) -> str:
        """Verify a row's signature; return the signed hash of a frame's values, else ""."""
        if self.signing_key is None:
            return ""
        signature, _, digest = (row.signature or "").partition(" ")
        if not self.signing_key.is_signature(
            signature, row.location, row.format, row.content, digest
        ):
            raise not_signed(f"{row.location} in {self.database}")
        return digest

    def _remove(self, connection: sa.Connection, location: str) -> None:
        database.hold(connection, location)
        old = index.find(connection, location)
        if old is None:
            return
        index.remove(connection, location)
        if old.table_name is not None:
            database.hold(connection, f"table {old.table_name}")
            if index.another(connection, old.table_name, location) is None:
                tables.drop(connection, old.table_name)
            else:
                tables.remove(connection, old.table_name, self._key(old))

    def _place(self, location: str, dialect: str) -> tuple[str, tables.Key | None]:
        """Return the name of a frame's table, and the key of its rows if it shares one."""
        name, slash, last = location.rpartition("/") if self.append else (location, "", "")
        if self.append and not (name and slash and last):
            raise StoreError(
                f"append = true needs a target of two parts, such as '{{funcname}}/{{base}}': "
                f"{location!r} has no table or no key"
            )
        key = tables.Key(self.key, last) if self.append else None
        return tables.table_name(name, dialect), key

    def _key(self, row: index.Row) -> tables.Key | None:
        """Return the key of a saved frame's rows: how it was saved decides, not this store."""
        column = key_column(row.content, self.key if self.append else None)
        return None if column is None else tables.Key(column, row.location.rpartition("/")[2])

    def _format(self, location: str, suffix: str) -> Format:
        format = get_format(suffix)
        if format.runs_code and not self.allow_pickle:
            raise pickle_refused(location)
        return format


def _driver_error(error: Exception) -> Exception:
    """Return the driver's error, as SQLAlchemy's text includes the whole statement."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, Exception) else error

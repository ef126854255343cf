"""SqlStore's tables over time: refreshed, shared by many outputs, with columns that change."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa

from prefectx.errors import CorruptItemError, SaveError, StoreError
from prefectx.stores import SqlStore
from prefectx.stores.sql.database import ENGINES
from tests.stores.databases import inspected, query
from tests.stores.test_sql import TYPED


@pytest.fixture
def shared(url):
    return SqlStore(url, append=True)


def column_type(url, table, column):
    with inspected(url) as found:
        return {each["name"]: each["type"] for each in found.get_columns(table)}[column]


class TestAppend:
    def test_an_output_alone_in_its_table_is_refreshed(self, shared, url):
        for number in range(3):
            shared.save("clean/a", pd.DataFrame({"n": [number]}))
        assert shared.load("clean/a")["n"].tolist() == [2]
        assert query(url, "SELECT count(*) FROM clean") == [(1,)]

    def test_an_output_alone_may_have_other_columns(self, shared, url):
        """What no other output needs does not stay."""
        shared.save("clean/a", pd.DataFrame({"n": [1], "old": ["x"]}))
        shared.save("clean/a", pd.DataFrame({"n": ["text"]}))
        assert shared.load("clean/a")["n"].tolist() == ["text"]
        with inspected(url) as found:
            assert {each["name"] for each in found.get_columns("clean")} == {"key", "n", "_row"}

    def test_the_last_one_takes_the_table_with_it(self, shared, url):
        for name in "ab":
            shared.save(f"clean/{name}", pd.DataFrame({"n": [1]}))
        shared.delete("clean/a")
        assert query(url, "SELECT key FROM clean") == [("b",)]
        shared.delete("clean/b")
        with inspected(url) as found:
            assert not found.has_table("clean")
        shared.save("clean/b", pd.DataFrame({"n": [1]}))

    @pytest.mark.parametrize("options", [{}, {"append": True, "key": "month"}])
    def test_how_it_was_saved_decides(self, shared, url, options):
        """Whatever the store that reads it asks for."""
        other = SqlStore(url, **options)
        for number, name in enumerate("ab"):
            shared.save(f"clean/{name}", pd.DataFrame({"n": [number]}))
        assert other.load("clean/b")["n"].tolist() == [1]
        other.delete("clean/b")
        assert shared.load("clean/a")["n"].tolist() == [0]
        assert query(url, "SELECT key FROM clean") == [("a",)]

    def test_an_output_moves_between_tables(self, shared, url):
        """Saved with `append`, then without, then with it again."""
        alone = SqlStore(url)
        shared.save("clean/b", pd.DataFrame({"n": [0]}))
        for number, store in enumerate([shared, alone, shared]):
            store.save("clean/a", pd.DataFrame({"n": [number]}))
            for reader in (shared, alone):
                assert reader.load("clean/a")["n"].tolist() == [number]
                assert reader.load("clean/b")["n"].tolist() == [0]
        with inspected(url) as found:
            assert not found.has_table("clean/a")

    def test_two_names_of_the_key_in_one_table(self, shared, url):
        shared.save("clean/a", pd.DataFrame({"n": [1]}))
        with pytest.raises(SaveError, match=r"'clean' has its key in the column 'key'"):
            SqlStore(url, append=True, key="month").save("clean/b", pd.DataFrame({"n": [1]}))
        assert len(shared.load("clean/a")) == 1

    def test_a_table_of_one_output_is_not_shared(self, shared, url):
        SqlStore(url).save("clean", pd.DataFrame({"n": [1]}))
        with pytest.raises(SaveError, match="'clean' exists already and is of the output 'clean'"):
            shared.save("clean/a", pd.DataFrame({"n": [1]}))
        assert len(SqlStore(url).load("clean")) == 1

    def test_writers_and_deleters_of_one_table(self, shared):
        """Nobody drops the table under another's rows."""

        def work(number):
            location = f"clean/{number}"
            for step in range(4):
                shared.save(location, pd.DataFrame({f"c{step % 2}": [number]}))
                assert shared.load(location).iloc[0, 0] == number
                shared.delete(location)
            return True

        with ThreadPoolExecutor(6) as pool:
            assert all(pool.map(work, range(6)))


INTS, FLOATS = [1, 2**40], [0.5, -0.0]


class TestDrift:
    """The columns of a shared table change from call to call: that works, or says what differs."""

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            pytest.param({"n": INTS}, {"n": FLOATS}, id="int, then float"),
            pytest.param({"n": FLOATS}, {"n": INTS}, id="float, then int"),
            pytest.param({"n": INTS}, {"n": INTS, "more": ["x", None]}, id="a column more"),
            pytest.param({"n": INTS, "more": ["x", None]}, {"n": INTS}, id="a column less"),
            pytest.param({"n": [None, None]}, {"n": INTS}, id="nothing, then int"),
            pytest.param({"n": [None, None]}, {"n": FLOATS}, id="nothing, then float"),
            pytest.param({"n": [None, None]}, {"n": [True, False]}, id="nothing, then bool"),
            pytest.param({"n": [None, None]}, {"n": [b"x", None]}, id="nothing, then bytes"),
            pytest.param({"n": INTS}, {"n": [None, None]}, id="int, then nothing"),
            pytest.param(
                {"n": np.array([1, 2], "int8")}, {"n": np.array(INTS)}, id="int8, then int64"
            ),
            pytest.param(
                {"n": np.array([0.1, 2], "float32")}, {"n": [0.1, 1e300]}, id="float32, then 64"
            ),
            pytest.param(
                {"n": np.array([0.1, 2], "float32")}, {"n": [2**24 + 1, 2]}, id="float32, then int"
            ),
        ],
    )
    def test_works(self, shared, first, then):
        frames = {"t/a": pd.DataFrame(first), "t/b": pd.DataFrame(then), "t/c": pd.DataFrame(first)}
        for location, frame in frames.items():
            shared.save(location, frame)
        for location, frame in frames.items():
            pd.testing.assert_frame_equal(shared.load(location), frame)

    def test_the_column_gets_the_wider_type(self, shared, url):
        """So that the database calculates with it as anybody would."""
        shared.save("t/a", pd.DataFrame({"n": [1, 2]}))
        shared.save("t/b", pd.DataFrame({"n": [0.5]}))
        assert isinstance(column_type(url, "t", "n"), sa.Double)
        assert query(url, "SELECT n / 2 FROM t WHERE key = 'a' ORDER BY n") == [(0.5,), (1.0,)]

    @pytest.mark.parametrize(
        ("first", "then", "said"),
        [
            ({"n": [1]}, {"n": ["x"]}, r"the column 'n' of the table 't' is BIGINT, and TEXT here"),
            ({"n": [2**60 + 1]}, {"n": [0.5]}, r"'n' of the table 't'.*BIGINT.*exactly"),
            ({"n": [0.5]}, {"n": [2**60 + 1]}, r"'n' of the table 't'.*DOUBLE.*exactly"),
            ({"n": [True]}, {"n": [2]}, r"'n' of the table 't' is BOOLEAN, and BIGINT here"),
        ],
    )
    def test_says_what_differs(self, shared, first, then, said):
        shared.save("t/a", pd.DataFrame(first))
        with pytest.raises(SaveError, match=said):
            shared.save("t/b", pd.DataFrame(then))
        assert shared.load("t/a").to_dict("list") == first
        assert not shared.exists("t/b")


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("append", [False, True])
def test_negative_zero(url, kind, append):
    """It comes back with its sign, in columns and in the index."""
    values = np.array([0.0, -0.0, 1.5, -0.0], kind)
    frame = pd.DataFrame({"x": values, "y": [1, 2, 3, 4]}, index=values.astype("float64"))
    store = SqlStore(url, append=append, signing_key="s3kr1t")
    store.save("t/a", frame)
    back = store.load("t/a")
    assert np.signbit(back["x"]).tolist() == [False, True, False, True]
    assert np.signbit(back.index.to_numpy()).tolist() == [False, True, False, True]
    table = pa.table({"x": pa.array([None, -0.0, 0.0], pa.float64())}, metadata={"mine": "1"})
    store.save("t/a", table)
    back = store.load("t/a")
    assert str(back["x"].to_pylist()) == "[None, -0.0, 0.0]"
    assert back.schema.metadata == table.schema.metadata


class TestRefresh:
    def test_keeps_the_table_if_its_columns_fit(self, url):
        """Views, indexes and grants stay."""
        store = SqlStore(url)
        store.save("sales", TYPED)
        query(url, "CREATE INDEX by_n ON sales (n)")
        query(url, "CREATE VIEW totals AS SELECT count(*) FROM sales")
        if url.startswith("postgres"):
            query(url, "GRANT SELECT ON sales TO PUBLIC")
        store.save("sales", TYPED.iloc[:1])
        pd.testing.assert_frame_equal(store.load("sales"), TYPED.iloc[:1])
        assert query(url, "SELECT * FROM totals") == [(1,)]
        with inspected(url) as found:
            assert [index["name"] for index in found.get_indexes("sales")] == ["by_n"]
        if url.startswith("postgres"):
            granted = "SELECT has_table_privilege('public', 'sales', 'SELECT')"
            assert query(url, granted) == [(True,)]

    def test_another_client_reads_the_old_or_the_new_rows(self, url):
        """Never none: also a transaction that began before."""
        store = SqlStore(url)
        store.save("sales", pd.DataFrame({"n": [1, 1]}))
        done = threading.Event()

        def save():
            for number in range(2, 40):
                store.save("sales", pd.DataFrame({"n": [number, number]}))
            done.set()

        with ThreadPoolExecutor(1) as pool:
            saving, seen = pool.submit(save), set()
            while not done.is_set() and not saving.done():
                seen.add(tuple(row[0] for row in query(url, "SELECT n FROM sales")))
            saving.result()
        assert all(len(rows) == 2 and len(set(rows)) == 1 for rows in seen)

    def test_a_view_that_is_in_the_way_is_named(self, url):
        if url.startswith("sqlite"):
            pytest.skip("SQLite's views do not keep a table")
        store = SqlStore(url)
        store.save("sales", pd.DataFrame({"n": [1]}))
        query(url, "CREATE VIEW totals AS SELECT sum(n) FROM sales")
        with pytest.raises(SaveError, match=r"(?s)sales.*view totals depends on"):
            store.save("sales", pd.DataFrame({"n": ["x"]}))
        assert store.load("sales")["n"].tolist() == [1]

    def test_a_frame_of_another_library_or_shape(self, url):
        store = SqlStore(url)
        for frame in (TYPED, TYPED[["n"]], TYPED[["n"]].astype("float64"), TYPED):
            store.save("sales", frame)
            pd.testing.assert_frame_equal(store.load("sales"), frame)

    def test_a_column_of_somebody_elses_stays(self, url):
        store = SqlStore(url)
        store.save("sales", pd.DataFrame({"n": [1]}))
        query(url, "ALTER TABLE sales ADD COLUMN note TEXT")
        store.save("sales", pd.DataFrame({"n": [2]}))
        assert query(url, "SELECT n, note FROM sales") == [(2, None)]
        store.save("sales", pd.DataFrame({"m": [2]}))
        with inspected(url) as found:
            assert [each["name"] for each in found.get_columns("sales")] == ["m", "_row"]


@pytest.fixture
def postgres_url(url):
    if url.startswith("sqlite"):
        pytest.skip("of PostgreSQL only")
    return url


class TestPostgres:
    def test_a_plan_of_the_old_columns_is_made_anew(self, postgres_url):
        """The statement was prepared, and another client changed the table."""
        store = SqlStore(postgres_url)
        store.save("t", pd.DataFrame({"n": [1, 2]}))
        for _ in range(10):
            store.load("t")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: store.load("t"), range(80)))
        query(postgres_url, "ALTER TABLE t ALTER COLUMN n TYPE integer")
        with ThreadPoolExecutor(8) as pool:
            for back in pool.map(lambda _: store.load("t"), range(80)):
                assert back["n"].tolist() == [1, 2]

    def test_a_lock_outlives_the_time_limits_of_the_server(self, postgres_url, caplog):
        """It is no open transaction, and no idle session that the server would end."""
        name = sa.make_url(postgres_url).database
        for limit in (
            "idle_in_transaction_session_timeout",
            "idle_session_timeout",
            "statement_timeout",
            "lock_timeout",
        ):
            query(postgres_url, f"ALTER DATABASE {name} SET {limit} = '300ms'")
        ENGINES.close(postgres_url)
        store, order = SqlStore(postgres_url), []

        def second():
            with store.lock("a"):
                order.append("second")

        with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.WARNING):
            with store.lock("a"):
                waiting = pool.submit(second)
                time.sleep(1)
                order.append("first")
            waiting.result(10)
        assert order == ["first", "second"]
        assert not caplog.records

    def test_a_lost_lock_is_said(self, postgres_url, caplog):
        store = SqlStore(postgres_url)
        end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        with caplog.at_level(logging.WARNING), store.lock("measure/a"):
            query(postgres_url, end)
        said = caplog.text
        assert "measure/a" in said
        assert "lost" in said
        assert "another run" in said
        with store.lock("measure/a"):
            pass

    def test_many_locks_leave_connections_for_the_work(self, postgres_url):
        """More threads than the pool has connections, each with a lock."""
        store, together = SqlStore(postgres_url), threading.Barrier(24)

        def work(number):
            with store.lock(f"t{number}"):
                together.wait(30)
                store.save(f"t{number}.json", number)
            return store.load(f"t{number}.json")

        with ThreadPoolExecutor(24) as pool:
            assert list(pool.map(work, range(24))) == list(range(24))

    def test_a_lock_that_cannot_be_had_says_why(self):
        with pytest.raises(StoreError, match=r"postgresql://me:\*\*\*@127.0.0.1:9/db.*lock"):
            SqlStore("postgresql://me:s3kr1t@127.0.0.1:9/db").lock("a").__enter__()


def test_a_table_that_lost_its_rows_is_not_refreshed_into_another(url):
    """Somebody dropped a shared table: its outputs say so, and are made anew one by one."""
    store = SqlStore(url, append=True)
    for name in "ab":
        store.save(f"clean/{name}", pd.DataFrame({"n": [1]}))
    query(url, "DROP TABLE clean")
    with pytest.raises(CorruptItemError, match="run again"):
        store.load("clean/a")
    store.save("clean/a", pd.DataFrame({"n": [2]}))
    assert store.load("clean/a")["n"].tolist() == [2]


def test_a_database_that_fails_is_no_damaged_output(url, monkeypatch):
    """What the server says while rows are read is no fault of the output."""
    store = SqlStore(url)
    store.save("t", pd.DataFrame({"n": [1]}))
    original, failures = sa.Connection.execute, [1, 1]

    def failing(self, statement, *args, **kwargs):
        if "FROM t" in str(statement) and failures:
            failures.pop()
            raise sa.exc.OperationalError("SELECT", {}, OSError("disk I/O error"))
        return original(self, statement, *args, **kwargs)

    monkeypatch.setattr("prefectx.stores.sql.database._ATTEMPTS", 1)
    monkeypatch.setattr(sa.Connection, "execute", failing)
    with pytest.raises(StoreError, match="disk I/O error; check") as raised:
        store.load("t")
    assert not isinstance(raised.value, CorruptItemError)
    monkeypatch.setattr("prefectx.stores.sql.database._ATTEMPTS", 2)
    assert store.load("t")["n"].tolist() == [1]

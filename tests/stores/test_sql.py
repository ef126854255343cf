"""SqlStore on SQLite and on a real PostgreSQL: tables that people query, rows, safety."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from prefectx.errors import ConfigError, CorruptItemError, SaveError, StoreError
from prefectx.stores import SqlStore
from tests.stores.databases import inspected, query


@pytest.fixture
def store(url):
    return SqlStore(url)


TYPED = pd.DataFrame(
    {
        "n": np.array([1, -2], dtype="int8"),
        "big": np.array([1, 2**64 - 1], dtype="uint64"),
        "x": [0.1, None],
        "small": np.array([0.1, np.inf], dtype="float32"),
        "ok": [True, False],
        "text": ["quote ' \" ; --", None],
        "when": pd.to_datetime(["2020-01-01 12:00:00.123456", None]),
        "zone": pd.to_datetime(["2020-01-01", "2020-07-01"]).tz_localize("Europe/Berlin"),
        "took": pd.to_timedelta([1, 2], unit="s"),
        "kind": pd.Categorical(["a", "b"], categories=["b", "a", "c"], ordered=True),
        "maybe": pd.array([1, None], dtype="Int64"),
        "raw": [b"\x00\xff", b""],
        "percent % (x) :y": [1, 2],
    },
    index=pd.MultiIndex.from_tuples([("u", 1), ("v", 2)], names=["code", None]),
)


@pytest.mark.parametrize(
    "location",
    ["typed", "working/clean/a", "we'ird \"%s%% :a; DROP TABLE x", "prefectx_items", "x" * 99],
)
def test_a_frame_comes_back_with_types_and_index(store, location):
    """Whatever the location is called."""
    store.save(location, TYPED)
    pd.testing.assert_frame_equal(store.load(location), TYPED)


def test_a_frame_is_a_table_that_any_client_can_query(store, url):
    store.save("sales", pd.DataFrame({"city": ["Bonn", "Ulm"], "sold": [3, 4]}))
    assert query(url, "SELECT city FROM sales WHERE sold > 3") == [("Ulm",)]
    with inspected(url) as found:
        columns = {column["name"]: column["type"] for column in found.get_columns("sales")}
    assert isinstance(columns["sold"], sa.BigInteger)
    assert isinstance(columns["city"], sa.Text | sa.String)


def test_polars_and_arrow_come_back_as_what_they_were(store):
    frame = pl.DataFrame(
        {"n": [1, None], "kind": pl.Series(["a", None], dtype=pl.Categorical), "d": [1.5, None]}
    )
    table = pa.table({"n": [1, None], "s": pa.array(["a", "b"]).dictionary_encode()})
    for data in (frame, table):
        store.save("t", data)
        assert type(store.load("t")) is type(data)
        assert store.load("t").equals(data)


def test_no_rows(store):
    store.save("empty", TYPED.iloc[:0])
    assert list(store.load("empty").columns) == list(TYPED.columns)


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"a": [[object()]]}),
        pd.DataFrame({"_row": [1]}),
        pd.DataFrame({"": [1]}),
        pd.DataFrame({"x" * 64: [1]}),
        pd.DataFrame({"t": pd.to_datetime(["2020-01-01 00:00:00.123456789"]).as_unit("ns")}),
        pd.DataFrame({"a": [1]}).set_axis(["b"], axis=1).assign(c=[object()]),
        threading.Lock(),
    ],
)
def test_what_cannot_be_kept_is_an_error_and_changes_nothing(store, data):
    store.save("a", TYPED)
    with pytest.raises(SaveError, match=r"cannot save .* at a in (sqlite|postgresql)"):
        store.save("a", data)
    pd.testing.assert_frame_equal(store.load("a"), TYPED)


def test_frames_and_objects_replace_each_other(store, url):
    """A frame's table goes with it."""
    store.save("a", TYPED)
    store.save("a", {"not": "a frame"})
    assert store.load("a") == {"not": "a frame"}
    with inspected(url) as found:
        assert not found.has_table("a")
    store.save("a", TYPED.iloc[:1])
    assert len(store.load("a")) == 1
    store.delete("a")
    with inspected(url) as found:
        assert not found.has_table("a")


def test_another_ones_table_is_never_touched(store, url):
    query(url, "CREATE TABLE customers (name TEXT)")
    with pytest.raises(SaveError, match=r"table 'customers' exists already and is not of prefectx"):
        store.save("customers", TYPED)
    assert query(url, "SELECT * FROM customers") == []


def test_a_lost_table_is_corrupt(store, url):
    """Somebody dropped or changed it: the item says so, and can be deleted and made anew."""
    store.save("a", TYPED)
    query(url, "DROP TABLE a")
    with pytest.raises(CorruptItemError, match=r"(?s)'a'.*run again"):
        store.load("a")
    store.save("a", TYPED)
    query(url, "ALTER TABLE a DROP COLUMN n")
    with pytest.raises(CorruptItemError):
        store.load("a")
    store.delete("a")
    assert not store.exists("a")


def test_no_pickle_when_none_is_allowed(store, url):
    store.save("a", 1)
    careful = SqlStore(url, allow_pickle=False)
    with pytest.raises(StoreError, match="allow_pickle"):
        careful.load("a")
    with pytest.raises(StoreError, match="allow_pickle"):
        careful.save("b", 1)
    careful.save("b.json", [1])
    careful.save("c", TYPED)
    assert careful.load("b.json") == [1]


class TestSigning:
    @pytest.fixture
    def signed(self, url):
        return SqlStore(url, signing_key="s3kr1t")

    @pytest.mark.parametrize("exact", [True, False])
    def test_loads_what_it_signed(self, url, exact):
        """Rows and tables, of every type that a table can have, also of many rows and of none."""
        store = SqlStore(url, exact=exact, signing_key="s3kr1t")
        many = pd.DataFrame({"n": range(10_001), "zero": -0.0})
        for data in (TYPED, TYPED.iloc[:0], many):
            store.save("a", data)
            pd.testing.assert_frame_equal(store.load("a"), data, check_categorical=len(data) > 0)
        store.save("a", {"x": 1})
        assert store.load("a") == {"x": 1}

    @pytest.mark.parametrize("with_key", [None, "other"])
    @pytest.mark.parametrize("data", [1, TYPED])
    def test_refuses_what_is_not_signed_with_the_key(self, signed, url, data, with_key):
        SqlStore(url, signing_key=with_key).save("a", data)
        with pytest.raises(CorruptItemError, match=r"a in .*is not signed.*run again"):
            signed.load("a")
        signed.save("a", data)
        signed.load("a")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE prefectx_items SET content = (SELECT content FROM prefectx_items "
            "WHERE location = 'b.json') WHERE location = 'a.json'",
            "UPDATE prefectx_items SET format = '.pkl'",
            "UPDATE prefectx_items SET signature = 'ä'",
            "UPDATE prefectx_items SET signature = NULL",
        ],
    )
    def test_refuses_a_row_that_was_changed(self, signed, url, change):
        for name in "ab":
            signed.save(f"{name}.json", [name])
        query(url, change)
        with pytest.raises(CorruptItemError, match="not signed"):
            signed.load("a.json")

    def test_refuses_another_outputs_row(self, signed, url):
        """A signature is of the location too."""
        signed.save("a.json", 1)
        query(url, "UPDATE prefectx_items SET location = 'b.json'")
        with pytest.raises(CorruptItemError, match="not signed"):
            signed.load("b.json")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE sales SET sold = 5 WHERE city = 'Ulm'",
            "DELETE FROM sales WHERE city = 'Ulm'",
            "INSERT INTO sales VALUES ('Ulm', 4, 7)",
            "UPDATE sales SET _row = 1 - _row",
        ],
    )
    def test_refuses_a_table_that_was_changed(self, signed, url, change):
        """A value, a row more or less, another order."""
        signed.save("sales", pd.DataFrame({"city": ["Bonn", "Ulm"], "sold": [3, 4]}))
        query(url, change)
        with pytest.raises(CorruptItemError, match=r"sales in .* not signed"):
            signed.load("sales")
        assert len(SqlStore(url).load("sales")) in (1, 2, 3)

    def test_calls_of_one_table_are_signed_each(self, url):
        """One that was changed does not spoil the others; their keys cannot be exchanged."""
        store = SqlStore(url, append=True, signing_key="s3kr1t")
        for number in range(3):
            store.save(f"clean/{number}", pd.DataFrame({"n": [number], f"c{number}": ["x"]}))
        query(url, "UPDATE clean SET n = 5 WHERE key = '1'")
        assert store.load("clean/0")["n"].tolist() == [0]
        with pytest.raises(CorruptItemError, match=r"clean/1 in .* not signed"):
            store.load("clean/1")
        query(url, "UPDATE prefectx_items SET location = 'clean/3' WHERE location = 'clean/2'")
        query(url, "UPDATE clean SET key = '3' WHERE key = '2'")
        with pytest.raises(CorruptItemError, match=r"clean/3 in .* not signed"):
            store.load("clean/3")

    def test_a_forged_pickle_does_not_run(self, signed, url, tmp_path):
        """Not even one that says it is a table, or has another one's signature."""
        signed.save("a", 1)
        ran = tmp_path / "ran"
        code = f"cos\nsystem\n(S'touch {ran}'\ntR.".encode()
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE prefectx_items SET content = :c"), {"c": code})
        with pytest.raises(CorruptItemError, match="not signed"):
            signed.load("a")
        assert not ran.exists()


def test_calls_of_one_task_make_one_table(url):
    """With `append` the last part of the location tells the rows of each call apart."""
    store = SqlStore(url, append=True)
    with ThreadPoolExecutor(4) as pool:
        frames = {f"clean/{i}": pd.DataFrame({"n": [i, i + 1]}) for i in range(20)}
        list(pool.map(store.save, frames, frames.values()))
    assert query(url, "SELECT count(*), count(DISTINCT key) FROM clean") == [(40, 20)]
    store.save("clean/3", pd.DataFrame({"n": [-1], "more": ["x"]}))
    store.delete("clean/4")
    assert query(url, "SELECT count(*) FROM clean") == [(37,)]
    assert query(url, "SELECT n, more FROM clean WHERE key = '3'") == [(-1, "x")]
    assert store.load("clean/3").equals(pd.DataFrame({"n": [-1], "more": ["x"]}))
    assert store.load("clean/5").equals(pd.DataFrame({"n": [5, 6]}))


def test_append_needs_a_table_and_a_key(url):
    with pytest.raises(SaveError, match=r"target of two parts.*\{funcname\}/\{base\}"):
        SqlStore(url, append=True).save("clean", TYPED)


def test_a_shared_table_and_one_of_its_own_do_not_mix(url):
    SqlStore(url, append=True).save("clean/a", TYPED)
    with pytest.raises(SaveError, match="is of the output 'clean/a'"):
        SqlStore(url).save("clean", TYPED)


def test_writers_of_many_places_at_once(store):
    """Threads that save and load at once wait for each other and lose nothing."""
    frames = {f"t{i % 4}": pd.DataFrame({"i": [i] * 10}) for i in range(4)}

    def work(i):
        name = f"t{i % 4}"
        store.save(name, frames[name])
        return store.load(name).equals(frames[name])

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(40)))


def test_a_dropped_connection_is_made_again(url, store):
    """Also when the server ends it between two calls."""
    store.save("a", 1)
    if url.startswith("postgres"):
        query(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE pid <> pg_backend_pid() AND datname = current_database()")  # fmt: skip
    assert store.load("a") == 1


def test_a_replaced_sqlite_file_is_seen(tmp_path):
    """Removing the database file removes the outputs; nothing is written to the old one."""
    store = SqlStore(f"sqlite:///{tmp_path}/results.db")
    store.save("a", 1)
    (tmp_path / "results.db").unlink()
    assert not store.exists("a")
    store.save("a", 2)
    assert store.load("a") == 2


def test_upper_and_lower_case_are_two_tables(store):
    store.save("Sales", pd.DataFrame({"a": [1]}))
    store.save("sales", pd.DataFrame({"a": [2]}))
    assert store.load("Sales")["a"].tolist() == [1]


def test_a_password_is_not_shown():
    store = SqlStore("postgresql://me:s3kr1t@nowhere.invalid/db")
    assert "s3kr1t" not in repr(store)
    assert pickle.loads(pickle.dumps(store)) == store


def test_a_database_that_does_not_answer(monkeypatch):
    """The error names the database, without its password."""
    monkeypatch.setattr("prefectx.stores.sql.database._ATTEMPTS", 1)
    with pytest.raises(
        StoreError, match=r"(?s)postgresql://me:\*\*\*@127.0.0.1:9/db.*runs"
    ) as raised:
        SqlStore("postgresql://me:s3kr1t@127.0.0.1:9/db").exists("a")
    assert "s3kr1t" not in str(raised.value)


@pytest.mark.parametrize("url", ["results.db", "sqlite://", "sqlite:///:memory:"])
def test_a_wrong_url_says_what_a_right_one_is(url):
    with pytest.raises(ConfigError, match="sqlite://"):
        SqlStore(url).exists("a")

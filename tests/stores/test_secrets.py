"""Passwords stay out of reprs, messages, logs and saved outputs; workers still get them."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys

import pytest

from prefectx import override, task
from prefectx.cli.app import run_command as run
from prefectx.errors import ConfigError, SaveError, StoreError
from prefectx.item import Item
from prefectx.stores import Filestore, SqlStore
from prefectx.stores.secrets import KNOWN

PASSWORD = "hunter2s3cret"
URLS = [
    f"postgresql://me:{PASSWORD}@127.0.0.1:9/db",
    f"postgresql://me@127.0.0.1:9/db?password={PASSWORD}",
    f"postgresql://127.0.0.1:9/db?user=me&password={PASSWORD}&sslpassword={PASSWORD}",
]


class Holder:
    def __init__(self, item):
        self.item = item


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch):
    monkeypatch.setattr("prefectx.stores.sql.database._ATTEMPTS", 1)


@pytest.mark.parametrize("url", URLS)
def test_a_databases_password_is_shown_nowhere(url, caplog):
    """Not in its repr, not in an error, in no form in which a URL gives it."""
    caplog.set_level(logging.DEBUG)
    store = SqlStore(url)
    shown = [repr(store), str(store), store.database, repr(Item(store, "a"))]
    for action in (
        lambda: store.exists("a"),
        lambda: store.save("a", 1),
        lambda: store.load("a"),
        lambda: store.lock("a").__enter__(),
    ):
        with pytest.raises(StoreError) as raised:
            action()
        shown += [str(raised.value), repr(raised.value)]
    assert PASSWORD not in "".join(shown) + caplog.text
    assert "127.0.0.1:9/db" in shown[-1]


@pytest.mark.parametrize(
    "root", [f"nosuch://me:{PASSWORD}@h/a", f"nosuch://h/a?password={PASSWORD}"]
)
def test_the_password_of_a_url_is_shown_nowhere(root):
    store = Filestore()
    shown = repr(Item(store, root))
    for action in (
        lambda: store.exists(root),
        lambda: store.save(root, 1),
        lambda: store.lock(root),
    ):
        with pytest.raises(StoreError) as raised:
            action()
        shown += str(raised.value)
    assert PASSWORD not in shown
    assert "nosuch://" in shown


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        *((SqlStore, {"url": url}) for url in URLS),
        (Filestore, {"storage_options": {"key": "me", "secret": PASSWORD}}),
        (Filestore, {"storage_options": {"client_kwargs": {"password": PASSWORD}}}),
        (Filestore, {"storage_options": {"connection_string": f"AccountKey={PASSWORD}"}}),
    ],
)
@pytest.mark.parametrize("kind", ["file", "sql"])
def test_no_saved_output_holds_a_password(cls, arguments, kind, tmp_path):
    """The item in it works if the password is known; else an error says so."""
    store = cls(**arguments)
    if kind == "file":
        keep, location = Filestore(), f"{tmp_path}/a"
    else:
        keep, location = SqlStore(f"sqlite:///{tmp_path}/results.db"), "a"
    keep.save(location, {"item": Item(store, "b"), "store": store})
    for path in tmp_path.rglob("*"):
        assert PASSWORD.encode() not in path.read_bytes()
    back = keep.load(location)
    assert back == {"item": Item(store, "b"), "store": store}
    setting = back["store"]._url if isinstance(store, SqlStore) else back["store"]._storage_options
    assert PASSWORD in str(setting.get())
    KNOWN.reset()
    back = keep.load(location)
    with pytest.raises(ConfigError, match=r"does not have the password.*\[stores\.") as raised:
        back["item"].exists() if isinstance(store, SqlStore) else back["store"].exists("memory://a")
    assert PASSWORD not in str(raised.value)


def test_a_store_of_the_configuration_is_found_by_what_it_shows(configure, tmp_path):
    """The password is read from the settings of the process that uses the item."""
    Filestore().save(f"{tmp_path}/a", SqlStore(URLS[0]))
    KNOWN.reset()
    configure(f"""
        [stores.other]
        class = "prefectx.stores:SqlStore"
        url = "{URLS[1]}"
        [stores.warehouse]
        class = "prefectx.stores:SqlStore"
        url = "{URLS[0]}"
    """)
    assert Filestore().load(f"{tmp_path}/a")._url.get() == URLS[0]


def test_what_travels_to_a_worker_has_its_password():
    """Also of a store that is in no configuration."""
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)._url.get())"
    store = pickle.dumps(SqlStore(URLS[0]))
    done = subprocess.run(
        [sys.executable, "-c", code], input=store, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == URLS[0]


def test_a_task_that_returns_an_item(tmp_path):
    """In mode `cache` the store of an item inside an object is in the pickle, without password."""

    @task(target="{funcname}.pkl")
    def found():
        return Holder(Item(SqlStore(URLS[0]), "b"))

    with override(mode="cache", root=str(tmp_path)):
        assert found().load().item == Item(SqlStore(URLS[0]), "b")
    assert PASSWORD.encode() not in (tmp_path / "found.pkl").read_bytes()


@pytest.mark.parametrize("as_json", [True, False])
def test_config_show_hides_keys(configure, capsys, as_json):
    configure(f"""
        [stores.file]
        signing_key = "{PASSWORD}"
        storage_options = {{ account_key = "{PASSWORD}", secret = "{PASSWORD}" }}
    """)
    assert run(["config", "show", *(["--json"] if as_json else [])]) == 0
    shown = capsys.readouterr().out
    assert PASSWORD not in shown
    if as_json:
        assert json.loads(shown)["stores.file"]["arguments"]["signing_key"] == "***"


class TestMissingKey:
    """A process without the signing key: it says so. No output is called damaged."""

    @pytest.fixture(params=["file", "sql-row", "sql-table"])
    def item(self, request, tmp_path, monkeypatch):
        pandas = pytest.importorskip("pandas")
        monkeypatch.delenv("PREFECTX_SIGNING_KEY", raising=False)
        data = pandas.DataFrame({"n": [1]}) if request.param == "sql-table" else 1
        if request.param == "file":
            item = Item(Filestore(signing_key=PASSWORD), f"{tmp_path}/a")
        else:
            url = f"sqlite:///{tmp_path}/results.db"
            item = Item(SqlStore(url, signing_key=PASSWORD), "a")
        item.save(data)
        return pickle.loads(pickle.dumps(item))

    def test_loading(self, item):
        with pytest.raises(ConfigError, match="set PREFECTX_SIGNING_KEY in its environment"):
            item.load()

    def test_saving(self, item):
        with pytest.raises(ConfigError, match="set PREFECTX_SIGNING_KEY in its environment"):
            item.save(1)
        assert item.exists()

    def test_it_is_not_made_again(self, item, monkeypatch, tmp_path):
        """`on_corrupt = "rerun"` would delete what is sound."""

        @task(target="{funcname}", on_corrupt="rerun", store=item.store)
        def a():
            raise AssertionError("it is there")

        with (
            override(mode="cache", root=str(tmp_path)),
            pytest.raises(ConfigError, match="PREFECTX_SIGNING_KEY"),
        ):
            a()
        assert item.exists()


def test_an_error_of_saving_shows_no_password(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError):
        Filestore().save(f"{tmp_path}/file/a", 1)

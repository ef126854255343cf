"""Every store that comes with prefectx passes the suite that authors of stores are given."""

from __future__ import annotations

import hashlib
import importlib
import uuid
from pathlib import Path

import pytest

from prefectx.item import Store
from prefectx.stores import Filestore, make_store
from prefectx.testing import StoreContract


class TestLocalFiles(StoreContract):
    @pytest.fixture
    def store(self):
        return Filestore(fsync=False)


class TestSignedFiles(StoreContract):
    @pytest.fixture
    def store(self, monkeypatch):
        monkeypatch.setenv("PREFECTX_SIGNING_KEY", "a secret of the test")
        return Filestore(fsync=False, signing_key="a secret of the test")


class TestFilesOfOneFormat(StoreContract):
    objects = (None, 0, "", [], {"a": [1, 2.5, "ü"]}, list(range(1000)))

    @pytest.fixture
    def store(self):
        return Filestore(".json.gz", fsync=False)


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self):
        return Filestore()

    @pytest.fixture
    def root(self):
        return f"memory://{uuid.uuid4().hex}"


class TestS3(StoreContract):
    @pytest.fixture
    def store(self, s3):
        return Filestore(storage_options=s3)

    @pytest.fixture
    def root(self):
        return f"s3://bucket/{uuid.uuid4().hex}"


class TestSftp(StoreContract):
    @pytest.fixture
    def store(self, sftp):
        return Filestore(storage_options=sftp)

    @pytest.fixture
    def root(self):
        return f"sftp://127.0.0.1/{uuid.uuid4().hex}"


class SqlContract(StoreContract):
    @pytest.fixture
    def root(self):
        return ""

    @pytest.fixture(autouse=True)
    def empty(self, store):
        for location in list(store.list()):
            store.delete(location)


class TestSqlite(SqlContract):
    @pytest.fixture
    def store(self, tmp_path):
        return make_store("db", {"db": Definition(url=f"sqlite:///{tmp_path}/results.db")})


class TestPostgres(SqlContract):
    @pytest.fixture
    def store(self, postgres):
        return make_store("db", {"db": Definition(url=postgres)})


class TestSignedSqlite(SqlContract):
    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PREFECTX_SIGNING_KEY", "a secret of the test")
        return make_store("db", {"db": Definition(url=f"sqlite:///{tmp_path}/results.db")})


class Definition:
    cls = "prefectx.stores:SqlStore"

    def __init__(self, **arguments):
        self.arguments = arguments


class TestExample(StoreContract):
    """The store of `examples/custom_store.py`."""

    unsavable = None

    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(Path(__file__).parents[2] / "examples")
        example = importlib.import_module("custom_store")
        return example.SqliteStore(str(tmp_path / "outputs.sqlite"))

    @pytest.fixture
    def root(self):
        return ""


class Lines(Store):
    """A store in ten lines."""

    def __init__(self, folder):
        self.folder = folder

    def exists(self, location):
        return self._path(location).exists()

    def save(self, location, data):
        self._path(location).write_text("\n".join(data))

    def load(self, location):
        return self._path(location).read_text().split("\n")

    def delete(self, location):
        self._path(location).unlink(missing_ok=True)

    def _path(self, location):
        return self.folder / hashlib.sha256(location.encode()).hexdigest()


class TestStoreInTenLines(StoreContract):
    objects = (["one"], ["two", "three"])
    unsavable = None

    @pytest.fixture
    def store(self, tmp_path):
        return Lines(tmp_path)

    @pytest.fixture
    def root(self):
        return ""

    @pytest.mark.skip("ten lines do not write atomically")
    def test_many_writers_of_one_place(self):
        pass

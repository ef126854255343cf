"""Files behind URLs: few requests, whole uploads, errors that name the URL."""

from __future__ import annotations

import re
import uuid
from collections import Counter

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from prefectx import override, task
from prefectx.errors import CorruptItemError, MissingDependencyError, SaveError, StoreError
from prefectx.stores import Filestore
from tests.servers import free_port
from tests.stores.conftest import S3_KEYS, served


@pytest.fixture
def root():
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def requests(monkeypatch):
    """The names of the questions that a file system was asked."""
    asked = []

    def counted(name):
        original = getattr(MemoryFileSystem, name)

        def count(self, *args, **kwargs):
            asked.append(name)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(MemoryFileSystem, name, count)

    for name in ("info", "ls", "exists"):
        counted(name)
    return asked


def test_a_folder_is_listed_once(root, requests):
    """However many of its files are asked for."""
    store = Filestore()
    there = [f"{root}/a/{number}" for number in range(0, 1000, 2)]
    for location in there:
        store.save(location, 1)
    requests.clear()
    assert store.exists_many(f"{root}/a/{number}" for number in range(1000)) == set(there)
    assert len(requests) == 1


def test_many_folders_are_listed_from_above(root, requests):
    """One file in each of many folders does not need a question for each."""
    store = Filestore()
    there = {f"{root}/deep/{number}/a.json" for number in range(0, 100, 2)}
    for location in there:
        store.save(location, 1)
    asked = []
    original = MemoryFileSystem.find
    MemoryFileSystem.find = lambda self, *a, **k: asked.append("find") or original(self, *a, **k)
    try:
        found = store.exists_many(f"{root}/deep/{number}/a.json" for number in range(100))
    finally:
        MemoryFileSystem.find = original
    assert found == there
    assert asked == ["find"]


def test_ten_thousand_on_s3_are_about_ten_requests(s3, monkeypatch):
    """Counted where the client sends them."""
    s3fs = pytest.importorskip("s3fs")
    store = Filestore(storage_options=s3)
    store.save("s3://bucket/many/5", 1)
    sent = []
    original = s3fs.S3FileSystem._call_s3

    async def counted(self, method, *args, **kwargs):
        sent.append(method)
        return await original(self, method, *args, **kwargs)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", counted)
    locations = [f"s3://bucket/many/{number}" for number in range(10_000)]
    assert store.exists_many(locations) == {"s3://bucket/many/5"}
    assert len(sent) <= 15


def test_local_and_remote_together(root, tmp_path):
    store = Filestore()
    store.save(f"{root}/a", 1)
    store.save(f"{tmp_path}/a", 1)
    both = {f"{root}/a", f"{tmp_path}/a"}
    assert store.exists_many([*both, f"{root}/b", f"{tmp_path}/b"]) == both


def test_a_folder_in_the_place_of_a_target(root):
    Filestore().save(f"{root}/a/b", 1)
    with pytest.raises(StoreError, match="is a folder"):
        Filestore().exists(f"{root}/a")


def test_a_damaged_file_is_corrupt_and_a_lost_connection_is_not(root, monkeypatch):
    """What the service's client raises is no fault of the output."""
    store = Filestore()
    fsspec.filesystem("memory").pipe_file(f"{root}/a.json", b"[1, 2")
    with pytest.raises(CorruptItemError, match=r"a\.json cannot be read as \.json"):
        store.load(f"{root}/a.json")

    def lost(*args, **kwargs):
        raise RuntimeError("connection reset")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", lost)
    with pytest.raises(
        StoreError, match=r"a\.json: RuntimeError: connection reset; check"
    ) as raised:
        store.load(f"{root}/a.json")
    assert not isinstance(raised.value, CorruptItemError)


def test_an_upload_that_fails_is_a_save_error(root, monkeypatch):
    """It names the place and the reason, and the old output stays."""
    store = Filestore()
    store.save(f"{root}/a.json", 1)

    def refused(*args, **kwargs):
        raise PermissionError(13, "Forbidden")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", refused)
        with pytest.raises(StoreError, match=r"a\.json.*Forbidden"):
            store.save(f"{root}/a.json", 2)
    assert store.load(f"{root}/a.json") == 1


class Slow(DirFileSystem):
    """A service that shows a file while it is being put, as SFTP does."""

    protocol = "slow"

    def __init__(self, folder, **options):
        super().__init__(folder, LocalFileSystem(), **options)


def test_where_a_put_is_not_whole_it_is_moved(tmp_path):
    """No reader sees the name before the content is there; nothing is left of a failed one."""
    fsspec.register_implementation("slow", Slow, clobber=True)
    store = Filestore(storage_options={"folder": str(tmp_path)})
    store.save("slow://f/a.json", [1])
    assert store.load("slow://f/a.json") == [1]
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["a.json"]
    with pytest.raises(SaveError):
        store.save("slow://f/a.json", {1})
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["a.json"]


def test_what_cannot_be_reached_says_why():
    with pytest.raises(StoreError, match="nosuch"):
        Filestore().exists("nosuch://a/b")


def test_a_missing_client_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    with pytest.raises(MissingDependencyError, match=r"gs://bucket/a.*install gcsfs"):
        Filestore().exists("gs://bucket/a")


def test_after_a_lost_connection_the_next_call_makes_a_new_one(tmp_path):
    """Whoever meets the loss is told so."""
    pytest.importorskip("paramiko")
    port, folder = free_port(), tmp_path / "served"
    folder.mkdir()
    store = Filestore(storage_options={"username": "u", "password": "p", "port": port})
    location = "sftp://127.0.0.1/runs/a.json"
    with served("sftp", folder, "--user", "u", "--pass", "p", port=port):
        store.save(location, [1])
    with pytest.raises(StoreError, match=r"a\.json: .*check the address"):
        store.exists(location)
    with served("sftp", folder, "--user", "u", "--pass", "p", port=port):
        assert store.exists(location)
        assert store.load(location) == [1]


def test_a_wrong_password_says_so(sftp):
    store = Filestore(storage_options=sftp | {"password": "wrong"})
    with pytest.raises(StoreError, match=r"sftp://127.0.0.1/a: Auth.*check .* credentials"):
        store.exists("sftp://127.0.0.1/a")


@pytest.mark.slow
def test_a_chain_of_finished_calls_on_s3_is_about_ten_requests_for_ten_thousand(tmp_path):
    """Two tasks of ten thousand outputs each, in a bucket with others; counted by the server."""
    pytest.importorskip("s3fs")
    folder, number = tmp_path / "served", 10_000
    for name in ("clean", "measure", "other"):
        (folder / "bucket" / "runs" / name).mkdir(parents=True)
        for i in range(number):
            (folder / "bucket" / "runs" / name / f"{i}.json").write_text(f"{i}\n")

    @task(target="{funcname}/{i}.json")
    def clean(i):
        raise AssertionError("it is finished")

    @task(target="{funcname}/{cleaned}.json")
    def measure(cleaned):
        raise AssertionError("it is finished")

    keys = ("--auth-key", f"{S3_KEYS['key']},{S3_KEYS['secret']}", "-vv")
    with served("s3", folder, *keys) as port:
        store = Filestore(storage_options=S3_KEYS | {"endpoint_url": f"http://127.0.0.1:{port}"})
        with override(mode="cache", root="s3://bucket/runs", store=store):
            measured = [future.result() for future in measure.map(clean.map(range(number)))]
        assert measured[-1].location == f"s3://bucket/runs/measure/{number - 1}.json"
        assert measured[-1].load() == number - 1
    log = folder.with_suffix(".log").read_text()
    requests = Counter(re.findall(r"serve s3: (LIST|HEAD|GET|PUT|CREATE|COPY|DELETE)\b", log))
    assert 2 <= requests["LIST"] <= 2 * 15
    assert requests.total() - requests["LIST"] <= 4

"""S3 with several writers, without its bucket, and with more objects than anybody asks for."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest

from prefectx import override, task
from prefectx.errors import StoreError
from prefectx.stores import Filestore
from prefectx.stores.files.buckets import BUCKETS
from tests.stores.conftest import S3_KEYS, served


@pytest.fixture(autouse=True)
def buckets_forgotten():
    BUCKETS.reset()


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A bucket of 6,000 other objects, which the server answers in pages of 1,000."""
    pytest.importorskip("s3fs")
    served_folder = tmp_path_factory.mktemp("crowded")
    for folder in ("deep", "flat", "zz"):
        (served_folder / "crowded" / folder).mkdir(parents=True)
        for number in range(2000):
            (served_folder / "crowded" / folder / f"other-{number:05}").touch()
    (served_folder / "crowded" / "flat" / "zz-mine").touch()
    for number in range(0, 40, 2):
        (served_folder / "crowded" / f"folder-{number}").mkdir()
        (served_folder / "crowded" / f"folder-{number}" / "a.json").write_text("1")
    (served_folder / "bucket").mkdir()
    keys = ("--auth-key", f"{S3_KEYS['key']},{S3_KEYS['secret']}")
    with served("s3", served_folder, *keys) as port:
        options = S3_KEYS | {"endpoint_url": f"http://127.0.0.1:{port}"}
        yield Filestore(storage_options=options)


@pytest.fixture
def sent(monkeypatch):
    """The requests that the client sends."""
    s3fs = pytest.importorskip("s3fs")
    sent, original = [], s3fs.S3FileSystem._call_s3

    async def counted(self, method, *args, **kwargs):
        sent.append(method)
        return await original(self, method, *args, **kwargs)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", counted)
    return sent


def test_a_large_object_that_is_replaced_while_it_is_read(s3):
    """It comes back whole, from one of its writers. The client would read it in parts."""
    options = s3 | {"default_block_size": 5 * 2**20}
    location, size = f"s3://bucket/{uuid.uuid4().hex}/a.bin", 24 * 2**20
    versions = [letter * size for letter in (b"a", b"b")]
    Filestore(storage_options=options).save(location, versions[0])
    done = threading.Event()

    def replace():
        store = Filestore(storage_options=options | {"skip_instance_cache": True})
        turn = 0
        while not done.is_set():
            turn += 1
            store.save(location, versions[turn % 2])

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(8):
            back = Filestore(storage_options=options).load(location)
            assert len(back) == size
            assert back in versions, f"a mixture: {back.count(b'a')} of {size}"
    finally:
        done.set()
        writer.join()


def test_a_large_object_is_one_request(s3, sent):
    options = s3 | {"default_block_size": 5 * 2**20}
    location = f"s3://bucket/{uuid.uuid4().hex}/a.bin"
    store = Filestore(storage_options=options)
    store.save(location, b"x" * 12 * 2**20)
    sent.clear()
    store.load(location)
    assert sent == ["get_object"]


class TestMissingBucket:
    def test_looking(self, s3):
        store = Filestore(storage_options=s3)
        for look in (store.exists, lambda url: store.exists_many([f"{url}{i}" for i in range(40)])):
            with pytest.raises(StoreError, match=r"no bucket 'nosuch'.*make it"):
                look("s3://nosuch/runs/a")

    def test_no_task_runs(self, s3):
        ran = []

        @task(target="{x}.json", store=Filestore(storage_options=s3))
        def work(x):
            ran.append(x)

        with (
            override(mode="cache", root="s3://nosuch/runs"),
            pytest.raises(StoreError, match="'nosuch'"),
        ):
            work(1)
        assert not ran

    def test_it_is_looked_for_once(self, s3, sent):
        store = Filestore(storage_options=s3)
        for number in range(10):
            assert not store.exists(f"s3://bucket/nothing/{number}")
        assert sent.count("head_bucket") == 1
        store.check("s3://bucket/runs")
        assert sent.count("head_bucket") == 1


class TestListing:
    """As many requests as outputs that are asked for, at most, however much lies beside them."""

    def test_a_few_of_many_in_one_folder(self, crowded, sent):
        names = [f"other-{number:05}" for number in (0, 999, 1000, 1999)]
        wanted = {f"s3://crowded/flat/{name}" for name in [*names, "zz-mine"]}
        missing = {f"s3://crowded/flat/no-{number}" for number in range(3)}
        assert crowded.exists_many([*wanted, *missing]) == wanted
        assert len(sent) <= len(wanted) + len(missing)

    def test_many_folders(self, crowded, sent):
        wanted = {f"s3://crowded/folder-{number}/a.json" for number in range(0, 40, 2)}
        asked = [f"s3://crowded/folder-{number}/a.json" for number in range(40)]
        asked += ["s3://crowded/a", "s3://crowded/zzz"]
        assert crowded.exists_many(asked) == wanted
        assert len(sent) <= 6

    def test_names_of_any_letters(self, crowded):
        store, root = crowded, f"s3://bucket/{uuid.uuid4().hex}"
        names = ["ä/ö 1.json", "a+b & c.json", "Z.json", "a/b/c.json", "a.json", "日本.json"]
        for name in names[::2]:
            store.save(f"{root}/{name}", 1)
        found = store.exists_many(f"{root}/{name}" for name in names)
        assert found == {f"{root}/{name}" for name in names[::2]}

    def test_folders_and_files(self, crowded):
        """A folder is there when the marker that completes it is."""
        root = f"s3://bucket/{uuid.uuid4().hex}"
        for name in ("a.json", "whole/.prefectx-complete", "half/a.json"):
            with crowded._files(root).replacing(f"{root}/{name}", fsync=False) as path:
                Path(path).write_text("1")
        asked = [f"{root}/{name}" for name in ("a.json", "whole/", "half/", "none/", "b.json")]
        for subset in (asked, asked[:2]):
            assert crowded.exists_many(subset) == {f"{root}/a.json", f"{root}/whole/"}

    def test_several_buckets(self, crowded):
        wanted = [f"s3://crowded/flat/other-{number:05}" for number in range(10)]
        assert crowded.exists_many([*wanted, *(f"s3://bucket/none/{i}" for i in range(10))]) == set(
            wanted
        )

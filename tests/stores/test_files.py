"""Filestore: places, names, errors, what is left behind, what travels."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest

from prefectx.errors import CorruptItemError, SaveError, StoreError
from prefectx.item import Item
from prefectx.stores import Filestore
from prefectx.stores.files import leftovers, local


@pytest.fixture
def store():
    return Filestore(fsync=False)


@pytest.fixture(autouse=True)
def local_reset():
    local.LOCAL.reset()


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


class Interrupting:
    """An object that is interrupted while it is pickled."""

    def __init__(self, error):
        self.error = error

    def __reduce__(self):
        raise self.error


@pytest.mark.parametrize(
    ("root", "target", "location"),
    [
        ("/r", "a/b.json", "/r/a/b.json"),
        ("/r/", "./a//b", "/r/a/b"),
        ("/r", "/s/a", "/s/a"),
        ("/r", "file:///s/a", "/s/a"),
        ("s3://bucket/r/", "a/b", "s3://bucket/r/a/b"),
        ("s3://bucket", "/s/a", "/s/a"),
        ("/r", "gs://bucket/a", "gs://bucket/a"),
        ("file:///r", "a", "/r/a"),
    ],
)
def test_locate(store, root, target, location):
    """A target lies under the root, unless it is a path or a URL by itself."""
    assert store.locate(root, target) == location


def test_a_relative_root_is_of_the_working_directory(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store.locate(".", "a") == str(tmp_path / "a")


def test_suffix(store):
    """The known suffix of the name; where the format is fixed, that format or nothing."""
    assert store.suffix("/r.d/a.b.json.gz") == ".json.gz"
    assert store.suffix("/r.json/asyncio.base_events") == ""
    assert store.suffix("/r/a.csv-3") == ""
    fixed = Filestore(".json")
    assert fixed.suffix("/r/a.JSON") == ".JSON"
    assert fixed.suffix("/r/a.csv") == ""
    assert Item(fixed, "/r/a.csv").stem == "a.csv"
    assert Item(store, "/r/a.csv").stem == "a"


def test_a_local_file_is_a_path(store, tmp_path):
    store.save(f"{tmp_path}/a.txt", "text")
    assert Path(Item(store, f"{tmp_path}/a.txt")).read_text() == "text"
    with pytest.raises(TypeError, match="not a local file"):
        os.fspath(Item(store, "s3://bucket/a"))


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(), MemoryError(), ValueError("no"), OSError(28, "x")]
)
def test_an_interrupted_save_leaves_nothing(store, tmp_path, error):
    """What was there before is as it was, and there is no temporary file."""
    location = f"{tmp_path}/a"
    store.save(location, "before")
    with pytest.raises((type(error), SaveError)):
        store.save(location, [1, Interrupting(error)])
    assert store.load(location) == "before"
    assert left_in(tmp_path) == ["a"]


def test_a_save_error_says_all(store, tmp_path):
    """The location, the format, the type, the reason and what to do."""
    with pytest.raises(SaveError) as raised:
        store.save(f"{tmp_path}/a.json", {"x": {1}})
    for part in (f"{tmp_path}/a.json", "as .json", "dict", "set at ['x']", ".pkl takes any"):
        assert part in str(raised.value)


def test_an_unpicklable_output_says_what_to_do(store, tmp_path):
    with pytest.raises(SaveError, match=r"generator.*return plain data.*target=None"):
        store.save(f"{tmp_path}/a", (x for x in ()))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 256, "too long.*shorter target"),
        ("file/a", "file is where a folder should be"),
        ("folder", "remove the folder"),
        ("nul\0", "null"),
    ],
)
def test_a_place_where_no_file_can_be(store, tmp_path, name, said):
    """It is an error that names the place, when looking, when saving, or both."""
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "x").mkdir(parents=True)
    with pytest.raises(SaveError, match=f"(?s){said}"):
        store.save(f"{tmp_path}/{name}", 1)
    with pytest.raises(StoreError, match="another target"):
        store.exists(f"{tmp_path}/{name}")
    with pytest.raises(StoreError):
        store.load(f"{tmp_path}/{name}")
    assert left_in(tmp_path) == ["file", "folder", "x"]


def test_umask_and_modes(store, tmp_path):
    """A new file has the mode that the umask leaves, a replaced one that which it had."""
    before = os.umask(0o027)
    try:
        store.save(f"{tmp_path}/a", 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    (tmp_path / "a").chmod(0o604)
    store.save(f"{tmp_path}/a", 2)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o604


def test_symbolic_links(store, tmp_path):
    """A linked folder is followed; a link in the place of an output is replaced by it."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    store.save(f"{tmp_path}/link/a", 1)
    assert store.load(f"{tmp_path}/disk/a") == 1
    (tmp_path / "b").symlink_to(tmp_path / "disk" / "a")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert store.exists(f"{tmp_path}/b")
    assert not store.exists(f"{tmp_path}/gone")
    for name in ("b", "gone"):
        store.save(f"{tmp_path}/{name}", 2)
    assert store.load(f"{tmp_path}/disk/a") == 1
    assert store.exists_many(f"{tmp_path}/{name}" for name in ["b", "gone", "link/a"] * 20) == {
        f"{tmp_path}/{name}" for name in ["b", "gone", "link/a"]
    }


def test_listing_sees_links_and_folders(store, tmp_path):
    """A folder in the place of one of many targets is an error there too."""
    names = [f"{tmp_path}/{number}" for number in range(40)]
    store.save(names[0], 1)
    (tmp_path / "1").symlink_to(tmp_path / "0")
    (tmp_path / "2").symlink_to(tmp_path / "nowhere")
    assert store.exists_many(names) == set(names[:2])
    (tmp_path / "3").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        store.exists_many(names)


def test_few_of_a_crowded_folder_are_found(store, tmp_path):
    """Where a folder holds many more than is asked for, listing it is given up."""
    for number in range(200):
        (tmp_path / str(number)).touch()
    names = [f"{tmp_path}/{number}" for number in range(190, 210)]
    assert store.exists_many(names) == set(names[:10])


def test_a_folder_removed_while_saving_is_an_error(store, tmp_path):
    class Removing:
        def __reduce__(self):
            shutil.rmtree(tmp_path / "f")
            return (int, ())

    with pytest.raises(SaveError, match=r"removed while it was saved: run again"):
        store.save(f"{tmp_path}/f/a", Removing())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux has such a folder")
def test_where_no_folder_can_be_made(store):
    with pytest.raises(SaveError, match=r"/proc/none/a: .*no folder can be made there"):
        store.save("/proc/none/a", 1)


def test_leftovers_of_dead_processes_are_removed(store, tmp_path):
    """Of dead processes on this machine; not of living ones, nor young ones of other machines."""
    here, other = leftovers.MACHINE, "0123abcd"
    names = {
        "dead": f".prefectx-{here}-{os.getppid()}-18a-0.tmp",
        "alive": f".prefectx-{here}-{os.getppid()}-18b-0.tmp",
        "other": f".prefectx-{other}-1-18a-0.tmp",
        "old": f".prefectx-{other}-1-18a-1.tmp",
        "mine": ".prefectx-notes.tmp",
    }
    for name in names.values():
        (tmp_path / name).touch()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(tmp_path / names["old"], (long_ago, long_ago))
    with (tmp_path / names["alive"]).open() as stream:
        assert leftovers.try_lock(stream.fileno())
        store.save(f"{tmp_path}/a", 1)
    assert left_in(tmp_path) == sorted(["a", names["alive"], names["other"], names["mine"]])


def test_a_leftover_that_somebody_holds_is_left(store, tmp_path):
    """In another container the process may live though its id means nothing here."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    held = tmp_path / f".prefectx-{leftovers.MACHINE}-{dead.pid}-18a-0.tmp"
    with held.open("wb") as stream:
        assert leftovers.try_lock(stream.fileno())
        store.save(f"{tmp_path}/a", 1)
        assert held.exists()


def test_temporary_files_are_never_listed(store, tmp_path):
    (tmp_path / ".prefectx-host-1-0.tmp").touch()
    store.save(f"{tmp_path}/.hidden", 1)
    assert list(store.list(f"{tmp_path}/")) == [f"{tmp_path}/.hidden"]


def test_writers_of_one_new_folder(store, tmp_path):
    """Threads that make the same folders at the same time do not disturb each other."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.save(f"{tmp_path}/a/b/c/{i}", i), range(64)))
    assert len(list(store.list(f"{tmp_path}/a/"))) == 64


@pytest.mark.parametrize("name", ["a.pkl", "a", "a.pkl.gz"])
def test_no_pickle_when_none_is_allowed(tmp_path, name):
    """Neither saved nor loaded; other formats are as before."""
    Filestore().save(f"{tmp_path}/{name}", 1)
    careful = Filestore(allow_pickle=False)
    with pytest.raises(StoreError, match=r"allow_pickle = false.*\.json"):
        careful.load(f"{tmp_path}/{name}")
    with pytest.raises(StoreError, match="allow_pickle"):
        careful.save(f"{tmp_path}/{name}", 2)
    assert Filestore().load(f"{tmp_path}/{name}") == 1
    careful.save(f"{tmp_path}/a.json", 1)
    assert careful.load(f"{tmp_path}/a.json") == 1


class TestSigning:
    @pytest.fixture
    def signed(self):
        return Filestore(signing_key="s3kr1t")

    def test_loads_what_it_signed(self, signed, tmp_path):
        """Again and again, also with the whole folder moved elsewhere."""
        for data in ("one", "two", "one"):
            signed.save(f"{tmp_path}/f/a.json", data)
            assert signed.load(f"{tmp_path}/f/a.json") == data
        (tmp_path / "moved").mkdir()
        (tmp_path / "f").rename(tmp_path / "moved" / "f")
        assert signed.load(f"{tmp_path}/moved/f/a.json") == "one"

    @pytest.mark.parametrize("with_key", [None, "other"])
    def test_refuses_what_is_not_signed_with_the_key(self, signed, tmp_path, with_key):
        Filestore(signing_key=with_key).save(f"{tmp_path}/a", "data")
        with pytest.raises(CorruptItemError, match=r"not signed.*run again"):
            signed.load(f"{tmp_path}/a")

    def test_refuses_what_was_changed(self, signed, tmp_path):
        signed.save(f"{tmp_path}/a.txt", "data")
        (tmp_path / "a.txt").write_text("date")
        with pytest.raises(CorruptItemError, match="was changed"):
            signed.load(f"{tmp_path}/a.txt")

    @pytest.mark.parametrize("suffix", [".pkl", ".json", ".csv", ".parquet", ".npy", ".txt.gz"])
    @pytest.mark.parametrize("mmap", [False, True])
    def test_holds_for_every_format_behind_urls_too(self, suffix, mmap):
        """A URL's file is refused where a byte is changed, or another one is in its place."""
        data = {
            ".csv": pd.DataFrame({"a": [1]}),
            ".parquet": pd.DataFrame({"a": [1]}),
            ".npy": np.arange(3),
            ".txt.gz": "text",
        }.get(suffix, [1])
        signed = Filestore(signing_key="s3kr1t", mmap=mmap)
        location = f"memory://{uuid.uuid4().hex}/a{suffix}"
        signed.save(location, data)
        assert type(signed.load(location)) is type(data)
        files = fsspec.filesystem("memory")
        files.cp_file(location, location.replace("/a.", "/b."))
        with pytest.raises(CorruptItemError, match="not signed"):
            signed.load(location.replace("/a.", "/b."))
        files.pipe_file(location, files.cat_file(location) + b"\n")
        with pytest.raises(CorruptItemError, match="not signed"):
            signed.load(location)

    def test_refuses_another_outputs_content(self, signed, tmp_path):
        """A signature is of the name too: outputs cannot be exchanged."""
        signed.save(f"{tmp_path}/a.txt", "a")
        shutil.copy(tmp_path / "a.txt", tmp_path / "b.txt")
        with pytest.raises(CorruptItemError):
            signed.load(f"{tmp_path}/b.txt")

    def test_a_forged_pickle_does_not_run(self, signed, tmp_path):
        (tmp_path / "a").write_bytes(b"cos\nsystem\n(S'touch %s'\ntR." % str(tmp_path).encode())
        with pytest.raises(CorruptItemError):
            signed.load(f"{tmp_path}/a")

    def test_the_key_stays_secret(self, signed, tmp_path, monkeypatch):
        """It is in no repr and no pickle; where an item arrives it is taken from there."""
        signed.save(f"{tmp_path}/a", 1)
        item = Item(signed, f"{tmp_path}/a")
        assert "s3kr1t" not in repr(signed)
        assert b"s3kr1t" not in pickle.dumps(item)
        arrived = pickle.loads(pickle.dumps(item))
        assert arrived == item
        with pytest.raises(Exception, match="set PREFECTX_SIGNING_KEY in its environment"):
            arrived.load()
        monkeypatch.setenv("PREFECTX_SIGNING_KEY", "s3kr1t")
        assert arrived.load() == 1


def mount_tmpfs(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount_tmpfs(folder, "size=1m"):
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("fsync", [True, False])
@pytest.mark.parametrize("suffix", ["", ".bin", ".npy", ".parquet", ".json", ".csv.gz", ".feather"])
def test_disk_full(small_disk, suffix, fsync):
    """The old output stays, nothing half-written is left, and the error says so."""

    def data(size):
        noise = np.random.default_rng(0).integers(0, 255, size, dtype="uint8")
        if suffix in (".parquet", ".feather", ".csv.gz"):
            return pd.DataFrame({"a": noise})
        return {".npy": noise, ".bin": noise.tobytes()}.get(suffix, noise.tolist())

    store, location = Filestore(fsync=fsync), f"{small_disk}/a{suffix}"
    store.save(location, data(10))
    before, files = Path(location).read_bytes(), left_in(small_disk)
    with pytest.raises(SaveError, match=r"No space left.*free some space"):
        store.save(location, data(4_000_000))
    assert Path(location).read_bytes() == before
    assert left_in(small_disk) == files
    # The types of the CSV's column lie beside it.
    assert files == [f"a{suffix}"] or suffix == ".csv.gz"
    store.load(location)


def test_read_only_file_system(small_disk, store):
    store.save(f"{small_disk}/a", 1)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(SaveError, match=r"Read-only.*another root"):
        store.save(f"{small_disk}/a", 2)
    assert store.load(f"{small_disk}/a") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(store, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(SaveError, match=r"Permission denied.*get permission"):
        store.save(f"{tmp_path}/closed/a", 1)

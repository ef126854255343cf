"""`lock`: one holder among threads, processes and hosts, and never one that is dead."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefectx.errors import StoreError
from prefectx.stores import Filestore, SqlStore

HOLD = """
import sys, time
from prefectx.stores import Filestore, SqlStore
place, name = sys.argv[1:]
store = SqlStore(place) if "://" in place else Filestore()
with store.lock(name):
    print("held", flush=True)
    time.sleep(60)
"""

COUNT = """
import sys, pathlib
from prefectx.stores import Filestore, SqlStore
place, name, counter = sys.argv[1:]
store = SqlStore(place) if "://" in place else Filestore()
path = pathlib.Path(counter)
for _ in range(50):
    with store.lock(name):
        number = int(path.read_text())
        path.write_text(str(number + 1))
"""


@pytest.fixture(params=["file", "sqlite", "postgres"])
def place(request, tmp_path):
    """What a process needs to find the store, and a location there."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres"), "a"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/results.db", "a/b"
    return "file", f"{tmp_path}/folder/a"


@pytest.fixture
def store(place):
    return SqlStore(place[0]) if "://" in place[0] else Filestore()


def test_processes_take_turns(place, tmp_path):
    """Without a lock some of these increments would be lost."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    workers = [
        subprocess.Popen([sys.executable, "-c", COUNT, *place, str(counter)]) for _ in range(4)
    ]
    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert counter.read_text() == "200"


def test_a_lock_dies_with_its_holder(place, store):
    """Nobody waits for a killed process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, *place], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: store.lock(place[1]).__enter__())
            time.sleep(0.3)
            assert not waiting.done()
            holder.send_signal(signal.SIGKILL)
            waiting.result(timeout=10)


def test_other_locations_are_free(place, store):
    with store.lock(place[1]), store.lock(f"{place[1]}2"):
        pass


def test_nothing_is_left(tmp_path):
    """No lock file stays, and none is ever listed."""
    store = Filestore()
    with store.lock(f"{tmp_path}/a"):
        assert list(store.list(f"{tmp_path}/")) == []
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_sets_it_free(tmp_path):
    store = Filestore()
    with pytest.raises(ValueError, match="mine"), store.lock(f"{tmp_path}/a"):
        raise ValueError("mine")
    with store.lock(f"{tmp_path}/a"):
        pass


def test_what_cannot_be_locked_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot lock .*file/a.*lock = true needs"):
        Filestore().lock(f"{tmp_path}/file/a").__enter__()
    with pytest.raises(StoreError, match=r"at s3://bucket/a: Filestore.* local paths only"):
        Filestore().lock("s3://bucket/a")

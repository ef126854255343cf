"""Options that guard outputs: locks, damaged files, pickles, signatures, stores that fail."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import prefectx
from prefectx import Filestore, Store, load, override, settings, task
from prefectx.stores import SqlStore

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path):
        yield


def test_with_lock_two_processes_compute_a_call_once(tmp_path):
    """Who comes second waits, and finds the output."""
    program = (
        "import pathlib, time\n"
        "from prefectx import task\n"
        "@task(target='one.json', lock=True)\n"
        "def slow(x):\n"
        "    with open('ran.txt', 'a') as ran: ran.write('x')\n"
        "    time.sleep(1)\n"
        "    return x\n"
        "print(slow(7).load())\n"
    )
    environment = {"PREFECTX": "cache", "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == [b"7"] * 3
    assert (tmp_path / "ran.txt").read_text() == "x"


class Mine(Store):
    """A store without locks."""

    exists = save = load = delete = None


@pytest.mark.parametrize(
    ("store", "root", "said"),
    [
        ("file", "s3://bucket/runs", "at s3://bucket/runs/w/x: Filestore.*local paths only"),
        (Mine, ".", "in Mine.*which has no locks"),
    ],
)
def test_a_lock_that_cannot_be_had_is_an_error_before_anything_runs(store, root, said):
    """It names the task, the place and the store; nothing is asked of the service."""

    @task(store=store, target="w/{x}", lock=True)
    def keep(x):
        raise AssertionError("it ran")

    with override(root=root), pytest.raises(prefectx.ConfigError, match=f"'keep'.*{said}"):
        keep.submit(1)
    with override(mode="function"), pytest.raises(AssertionError, match="it ran"):
        keep(1)


@pytest.fixture
def damaged(tmp_path):
    """A task with an output that is damaged, and what it ran."""
    ran = []

    @task(target="one.json")
    def answer(x):
        ran.append(x)
        return {"x": x}

    answer(1)
    (tmp_path / "one.json").write_text('{"x":')
    return answer, ran


def test_a_damaged_output_is_an_error_by_default(damaged):
    """Nothing is thrown away without being asked for."""
    answer, ran = damaged
    with pytest.raises(prefectx.CorruptItemError, match=r"one\.json"):
        load(answer(1))
    assert ran == [1]


def test_a_damaged_output_is_made_anew_where_that_is_asked_for(damaged):
    """on_corrupt = "rerun" reads an output before it counts as finished."""
    answer, ran = damaged
    careful = answer.with_options(on_corrupt="rerun")
    assert load(careful(1)) == {"x": 1}
    assert load(careful.map([1])) == [{"x": 1}]
    assert ran == [1, 1]


def test_pickles_can_be_refused():
    """allow_pickle = false saves none and loads none."""

    @task(target="{x}.pkl")
    def keep(x):
        return x

    item = keep(1)
    with override(allow_pickle=False):
        with pytest.raises(prefectx.StoreError, match="pickle"):
            keep(1).load()
        with pytest.raises(prefectx.StoreError, match=r"'keep'.*pickle"):
            keep(2)
    assert load(item) == 1


def test_a_key_in_the_environment_signs_what_is_saved(monkeypatch, tmp_path):
    """What was changed by somebody without the key is refused."""
    monkeypatch.setenv("PREFECTX_SIGNING_KEY", "a secret of the test")

    @task(target="{x}.json")
    def keep(x):
        return x

    item = keep(1)
    assert load(item) == 1
    (tmp_path / "1.json").write_text("2")
    with pytest.raises(prefectx.CorruptItemError, match="not signed"):
        load(item)


@pytest.mark.parametrize("kept_by", ["files", "database"])
def test_what_was_kept_before_there_was_a_key_is_made_anew(monkeypatch, tmp_path, kept_by):
    """Where on_corrupt = "rerun": unsigned outputs, of a store made in code too."""
    store = Filestore() if kept_by == "files" else SqlStore(f"sqlite:///{tmp_path}/results.db")
    ran = []

    @task(target="{x}.pkl", store=store, on_corrupt="rerun")
    def keep(x):
        ran.append(x)
        return x

    keep(1)
    monkeypatch.setenv("PREFECTX_SIGNING_KEY", "a secret of the test")
    settings.reset()
    with override(mode="cache", root=tmp_path):
        assert load(keep(1)) == 1
        assert load(keep(1)) == 1
    assert ran == [1, 1]


class Broken(Store):
    def exists(self, location):
        return False

    def save(self, location, data):
        raise RuntimeError("the disk is on fire")

    def load(self, location):
        raise AssertionError

    def delete(self, location):
        pass


def test_what_a_store_of_ones_own_raises_names_task_and_location():
    """Any failure to save is a SaveError that says where."""

    @task(store=Broken)
    def keep(x):
        return x

    with pytest.raises(prefectx.SaveError, match=r"'keep'.*working/keep/1.*RuntimeError: the disk"):
        keep(1)


def test_a_call_that_is_cancelled_leaves_no_lock(tmp_path):
    """Who gives up waiting for a lock does not have it afterwards."""

    @task(target="one.json", lock=True)
    async def one():
        return 1

    async def give_up():
        held = Filestore().lock(f"{tmp_path}/one.json")
        with held:
            waiting = asyncio.create_task(one())
            await asyncio.sleep(0.2)
            waiting.cancel()
            await asyncio.wait([waiting])
        await asyncio.sleep(0.5)
        return (await asyncio.wait_for(one(), 10)).load()

    assert asyncio.run(give_up()) == 1


def test_waiting_for_a_lock_leaves_the_event_loop_to_others(tmp_path):
    """In async code other tasks go on while a call waits for its lock."""

    @task(target="one.json", lock=True)
    async def one():
        return 1

    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with Filestore().lock(f"{tmp_path}/one.json"):
            is_held.set()
            is_over.wait(20)

    async def wait_beside_others():
        waiting = asyncio.create_task(one())
        await asyncio.sleep(0.2)
        went_on = not (waiting.done() or is_over.is_set())
        is_over.set()
        return went_on, (await waiting).load()

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(20)
    started = time.monotonic()
    assert asyncio.run(wait_beside_others()) == (True, 1)
    holder.join()
    assert time.monotonic() - started < 15

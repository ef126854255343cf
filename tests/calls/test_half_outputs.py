"""No half output ever counts: what a function writes itself, failures, cancellation, forks."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import prefectx
from prefectx import StoreError, current_target, load, override, task

ROOT = Path(__file__).parents[2]
MEMORY = "memory://prefectx-half"


@pytest.fixture(autouse=True)
def cached(tmp_path: Path):
    """Run in mode cache, under tmp_path."""
    with override(mode="cache", root=tmp_path):
        yield


def leftovers(folder: Path) -> list[str]:
    """Return the names of everything of ours that is left in a folder."""
    return [path.name for path in folder.rglob(".prefectx-*")]


def write(path, text="whole"):
    Path(path).write_text(text)


@pytest.mark.parametrize("mode", ["cache", "function"])
def test_what_is_written_becomes_the_output_when_the_function_returns(mode, tmp_path):
    """The folder is made; until the end nothing is at the final place."""
    seen = []

    @task(target="deep/er/{x}.txt", save=False)
    def writes(x):
        target = current_target()
        write(target, str(x))
        seen.append((target.exists(), target.final.exists(), target.name))
        return "returned"

    with override(mode=mode):
        assert load(writes(1)) == "returned"
    assert seen == [(True, False, "1.txt")]
    assert (tmp_path / "deep/er/1.txt").read_text() == "1"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("where", ["aside", "final"])
@pytest.mark.parametrize("target", ["out.txt", "out/"])
def test_a_function_that_fails_leaves_nothing(where, target, tmp_path):
    """Half a file or half a folder counts as nothing; the next call runs again."""
    ran = []

    @task(target=target, save=False)
    def half(x):
        ran.append(x)
        place = current_target() if where == "aside" else current_target().final
        path = Path(place)
        if target.endswith("/"):
            path.mkdir(exist_ok=True)
            path /= "part"
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
        if len(ran) == 1:
            raise OSError("broken")
        path.write_text("whole")

    with pytest.raises(OSError, match="broken"):
        half(1)
    assert not (tmp_path / target).exists()
    assert leftovers(tmp_path) == []
    half(1)
    half(1)
    assert ran == [1, 1]
    written = tmp_path / target
    assert (written / "part" if target.endswith("/") else written).read_text() == "whole"


def test_an_older_output_survives_a_failure(tmp_path):
    """A refresh that fails leaves what was there."""
    fails = []

    @task(target="{x}.txt", save=False)
    def writes(x):
        write(current_target(), f"version {len(fails)}")
        if fails:
            raise OSError("broken")

    writes(1)
    fails.append(1)
    with pytest.raises(OSError, match="broken"):
        writes.with_options(refresh=True)(1)
    assert (tmp_path / "1.txt").read_text() == "version 0"


def test_a_function_may_continue_the_output_that_exists(tmp_path):
    """`final` is the output of the last time."""

    @task(target="log.txt", save=False, refresh=True)
    def append(x):
        final = Path(current_target().final)
        before = final.read_text() if final.exists() else ""
        write(current_target(), before + x)

    append("a")
    append.with_options(shared=True)("b")
    assert (tmp_path / "log.txt").read_text() == "ab"


def test_what_is_written_beside_moves_along(tmp_path):
    """Sidecars and folders beside the output come with it."""

    @task(target="out/model.bin", save=False)
    def model():
        folder = Path(current_target()).parent
        (folder / "model.json").write_text("{}")
        (folder / "parts").mkdir()
        (folder / "parts" / "0").write_text("0")
        write(current_target())

    model()
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")}
    assert names == {"model.bin", "model.json", "parts", "parts/0"}


def test_a_folder_is_an_output(tmp_path):
    """A target that ends in a slash is a folder that the function fills; its item is the folder."""
    ran = []

    @task(target="parts-{n}/", save=False)
    def parts(n):
        ran.append(n)
        for number in range(n):
            (Path(current_target()) / str(number)).write_text(str(number))

    @task(target="{folder}.json")
    def count(folder):
        return len(list(Path(folder).iterdir()))

    future = parts.submit(3)
    assert future.item.location == str(tmp_path / "parts-3") + "/"
    assert load(count(future)) == 3
    assert parts.submit(3).state.name == "Cached"
    assert [future.state.name for future in parts.map([3, 2])] == ["Cached", "Completed"]
    assert ran == [3, 2]
    parts.with_options(refresh=True)(3)
    assert sorted(path.name for path in (tmp_path / "parts-3").iterdir()) == ["0", "1", "2"]
    future.item.delete()
    assert not (tmp_path / "parts-3").exists()
    assert leftovers(tmp_path) == []


def test_a_folder_is_not_saved_into():
    """What a function returns is no folder: that is said before it runs."""

    @task(target="parts/")
    def parts():
        raise AssertionError("must not run")

    with pytest.raises(prefectx.ConfigError, match=r"'parts'.*folder.*save = false"):
        parts()


@pytest.mark.parametrize("target", ["out.txt", "out/"])
def test_behind_urls_nothing_half_counts(target):
    """In a bucket a marker written last completes a folder."""
    import fsspec

    system = fsspec.filesystem("memory")
    ran = []

    @task(target=f"{MEMORY}/{target}", save=False)
    def writes(x):
        ran.append(x)
        place = current_target().location + ("part" if target.endswith("/") else "")
        with fsspec.open(place, "w") as stream:
            stream.write("text")
        if len(ran) == 1:
            raise OSError("broken")

    def outputs():
        found = [name for name in system.find("/") if "prefectx-half" in name]
        return [name for name in found if "/.prefectx/" not in name]

    with pytest.raises(OSError, match="broken"):
        writes(1)
    assert outputs() == []
    writes(1)
    item = writes.submit(1).item
    assert ran == [1, 1]
    assert item.exists()
    item.delete()
    assert outputs() == []


def test_a_killed_function_leaves_nothing_that_counts(tmp_path):
    """kill -9 in the middle: no output; the next runs remove what is left when it is old."""
    program = (
        "import time\nfrom pathlib import Path\nfrom prefectx import task, current_target\n"
        "@task(target='out/slow.txt', save=False)\n"
        "def slow():\n"
        " Path(current_target()).write_text('half')\n print('written', flush=True)\n"
        " time.sleep(60)\n"
        "slow()\n"
    )
    environment = os.environ | {"PREFECTX": "cache", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout.readline().strip() == b"written"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "out/slow.txt").exists()
    [left] = (tmp_path / "out").glob(".prefectx-*")
    os.utime(left, (0, 0))

    @task(target="out/{x}.txt", save=False)
    def quick(x):
        write(current_target())

    quick(1)
    assert leftovers(tmp_path) == []


async def start_equal_calls():
    """Start a slow call and one that waits for it; return both, and the list of runs."""
    ran = []

    @task
    async def slow(x):
        ran.append(x)
        await asyncio.sleep(0.2)
        return x

    first = asyncio.ensure_future(slow(1))
    await asyncio.sleep(0.05)
    second = asyncio.ensure_future(slow(1))
    await asyncio.sleep(0.05)
    return first, second, ran


async def test_whoever_waits_takes_over_a_cancelled_call():
    """Of two equal calls one is cancelled: the other is not, and gets its output."""
    first, second, ran = await start_equal_calls()
    first.cancel()
    assert load(await second) == 1
    assert ran == [1, 1]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_cancelled_waiter_does_not_disturb_the_run():
    """Whoever waits may be cancelled; the run goes on and its outcome is kept."""
    first, second, ran = await start_equal_calls()
    second.cancel()
    assert load(await first) == 1
    assert ran == [1]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_its_parent(tmp_path):
    """A process that was forked while a call runs makes the same call itself."""
    started, go_on = threading.Event(), threading.Event()

    @task(target="slow.json")
    def slow(x):
        started.set()
        go_on.wait(10)
        return x

    thread = threading.Thread(target=slow, args=(1,))
    thread.start()
    started.wait(10)
    pid = os.fork()
    if pid == 0:
        go_on.set()
        os._exit(0 if load(slow(1)) == 1 else 1)
    end = time.monotonic() + 20
    status = (0, 0)
    while status[0] == 0 and time.monotonic() < end:
        status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    go_on.set()
    thread.join()
    if status[0] == 0:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert status == (pid, 0)


def test_a_returned_failed_state_is_a_failure():
    """A function that returns a failed state has failed: nothing is kept."""

    @task
    def inner(x):
        raise ValueError("inner")

    @task
    def outer(x):
        return inner.submit(x).state

    future = outer.submit(1)
    assert future.state.is_failed()
    assert not future.item.exists()
    with pytest.raises(ValueError, match="inner"):
        outer(1)


def test_a_task_that_returns_references_returns_their_data():
    """Items and futures in a result are data, also for who reads the output elsewhere."""

    @task
    def inner(x):
        return x * 10

    @task(target="outer.json")
    def outer(x):
        return {"item": inner(x), "futures": [inner.submit(n) for n in range(2)], "plain": x}

    assert load(outer(1)) == {"item": 10, "futures": [0, 10], "plain": 1}
    with override(mode="function"):
        assert outer(1) == {"item": 10, "futures": [0, 10], "plain": 1}


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path):
    """A file is not taken for the folder of the same name."""
    (tmp_path / "parts").write_text("")

    @task(target="parts/", save=False)
    def parts():
        raise AssertionError("must not run")

    with pytest.raises(StoreError, match="parts"):
        parts()

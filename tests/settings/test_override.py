"""override() and use(): nested, in threads, in asyncio tasks, in other processes."""

import asyncio
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefectx import settings
from prefectx.item import Store
from prefectx.run_context import context, current_values


class Elsewhere(Store):
    def exists(self, location):
        return False

    def save(self, location, data):
        pass

    def load(self, location):
        pass

    def delete(self, location):
        pass


def mode() -> str:
    return settings.current().project.mode


def test_overrides_nest():
    before = settings.current()
    with settings.override(mode="cache", refresh=True):
        with settings.override(mode="function") as inner:
            assert settings.current() is inner
            assert (mode(), inner.project.refresh) == ("function", True)
        assert mode() == "cache"
    assert settings.current() is before


def test_an_inner_override_beats_what_an_outer_one_says_of_a_task():
    with settings.override(tasks={"clean": {"mode": "cache"}}), settings.override(mode="function"):
        assert settings.current().options("clean").mode == "function"


def test_an_override_takes_python_objects(tmp_path):
    store = Elsewhere()
    with settings.override(root=tmp_path, store=store, target=None, task_run_name=str) as inner:
        project = inner.project
        assert (project.root, project.target) == (str(tmp_path), None)
        assert project.store is store
        assert project.task_run_name is str
    with settings.override(store=Elsewhere) as inner:
        assert inner.options("clean").store is Elsewhere


def test_an_override_ends_with_its_block_also_by_an_error():
    with pytest.raises(ZeroDivisionError), settings.override(mode="cache"):
        1 / 0  # noqa: B018
    assert mode() == "prefect.skiptask"


def test_an_override_decorates_a_function():
    decorated = settings.override(mode="cache")(mode)
    assert (decorated(), decorated(), mode()) == ("cache", "cache", "prefect.skiptask")


def test_threads_started_inside_see_the_override():
    with settings.override(mode="cache"), ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: mode(), range(4))) == ["cache"] * 4


def test_a_thread_does_not_disturb_the_others():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with settings.override(mode="function"):
            entered.set()
            leave.wait(5)

    thread = threading.Thread(target=other)
    thread.start()
    entered.wait(5)
    assert mode() == "prefect.skiptask"
    leave.set()
    thread.join()


async def test_asyncio_tasks_do_not_disturb_each_other():
    async def own(name: str) -> str:
        with settings.override(mode=name):
            await asyncio.sleep(0.01)
            return mode()

    modes = ["cache", "function", "prefect"]
    assert await asyncio.gather(*map(own, modes)) == modes
    assert mode() == "prefect.skiptask"


def test_an_override_around_a_loop_is_seen_inside():
    async def inside() -> str:
        return await asyncio.to_thread(mode)

    with settings.override(mode="cache"):
        assert asyncio.run(inside()) == "cache"


def test_settings_travel_and_are_used_elsewhere(configure, tmp_path, monkeypatch):
    configure('mode = "cache"\n[tasks.clean]\ndask = { memory = "2GB" }')
    with settings.override(root="/data", store=Elsewhere):
        sent = pickle.dumps(settings.current())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("PREFECTX", "function")
    settings.reset()
    with settings.use(pickle.loads(sent)):
        options = settings.current().options("clean")
    assert (options.mode, options.root, options.store) == ("cache", "/data", Elsewhere)
    assert options.dask.memory == 2_000_000_000


def test_settings_of_many_tasks_travel_light(configure):
    tasks = "\n".join(f"[tasks.task_{n}]\ntarget = 'working/{n}'" for n in range(200))
    assert len(pickle.dumps(configure(tasks))) < 40_000


def test_options_travel_with_their_sources(configure):
    options = configure('mode = "cache"').options("clean")
    copy = pickle.loads(pickle.dumps(options))
    assert copy == options
    assert copy.sources == options.sources
    assert copy.sources["mode"] == ("file", "prefectx.toml:1")


def test_settings_and_options_cannot_be_changed():
    with pytest.raises(AttributeError):
        settings.current().file = None
    with pytest.raises(ValueError, match="frozen"):
        settings.current().project.mode = "cache"


def test_overrides_that_end_out_of_order_leave_nothing(configure):
    configure('mode = "prefect"')
    outer, inner = settings.override(mode="cache", lock=True), settings.override(refresh=True)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    project = settings.current().project
    assert (project.mode, project.lock, project.refresh) == ("prefect", False, True)
    with settings.override(fsync=False):
        assert settings.current().project.refresh
    inner.__exit__(None, None, None)
    project = settings.current().project
    assert (project.mode, project.lock, project.refresh) == ("prefect", False, False)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(mode).result() == "prefect"


def test_contexts_that_end_out_of_order_leave_nothing():
    outer, inner = context(a=1), context(b=2)
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert current_values() == {"b": 2}
    inner.__exit__(None, None, None)
    assert current_values() == {}


def test_an_override_that_is_in_force_cannot_be_entered_again():
    override = settings.override(mode="cache")
    with override:
        with pytest.raises(RuntimeError, match="this override\\(\\) is in force already"):
            override.__enter__()
        assert mode() == "cache"
    assert mode() == "prefect.skiptask"
    with override:
        assert mode() == "cache"
    assert mode() == "prefect.skiptask"


def test_a_decorated_function_may_call_itself():
    @settings.override(mode="cache")
    def deep(n: int) -> str:
        return deep(n - 1) if n else mode()

    assert deep(3) == "cache"
    assert mode() == "prefect.skiptask"

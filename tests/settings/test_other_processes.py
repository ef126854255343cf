"""An override reaches the processes that get a task or flow, and ends there too."""

import copy
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from prefectx import settings

MODULE = """
from prefectx import current_target, flow, settings, task

@task(save=False)
def where(x):
    return f"{settings.current().project.mode} {inner(x)}"

@task(target="inner/{x}")
def inner(x):
    return x

@flow
def around(x):
    return settings.current().project.mode

def mode(x):
    return settings.current().project.mode
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "some_tasks.py").write_text(MODULE)
    (tmp_path / "prefectx.toml").write_text("mode = 'function'")
    monkeypatch.syspath_prepend(tmp_path)
    settings.reset()
    import some_tasks

    yield some_tasks
    del sys.modules["some_tasks"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_an_override_reaches_other_processes_and_ends_there(module, method, tmp_path):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        with settings.override(mode="cache", root=tmp_path / "here"):
            assert pool.submit(module.around, 1).result() == "cache"
            assert pool.submit(module.mode, 1).result() == "cache"
            item = pool.submit(module.inner, 2).result()
            assert item.location == str(tmp_path / "here" / "inner" / "2")
        assert pool.submit(module.around, 1).result() == "function"
        assert pool.submit(module.inner, 2).result() == 2


def test_a_copy_in_this_process_changes_nothing(module):
    with settings.override(mode="cache"):
        sent = pickle.dumps(module.inner)
        assert copy.deepcopy(module.inner) is module.inner
    assert pickle.loads(sent) is module.inner
    assert settings.current().project.mode == "function"


def test_without_an_override_nothing_is_taken_along(module):
    assert len(pickle.dumps(module.inner)) < 200


PROGRAM = """
import multiprocessing
import prefectx

@prefectx.task(target="{x}.json")
def double(x):
    return 2 * x

def show(task):
    print(task(1).location)

if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        with prefectx.override(mode="cache", root="/tmp/elsewhere"):
            process = multiprocessing.get_context(method).Process(target=show, args=(double,))
            process.start()
            process.join()
"""


def test_an_override_reaches_a_task_of_the_program(tmp_path):
    """The program's own tasks are pickled by name for a process that is given the program."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("/tmp/elsewhere", str(tmp_path / "elsewhere")))
    said = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.split() == [str(tmp_path / "elsewhere" / "1.json")] * 2

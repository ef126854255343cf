"""Names that a program imports from Prefect work where no Prefect runs."""

import os
import pickle
import subprocess
import sys

import pytest

from prefectx import flow, load, override, task


@pytest.mark.parametrize("mode", ["function", "cache"])
def test_marks_tags_wait_and_as_completed_of_prefect(mode, tmp_path):
    """unmapped, allow_failure, quote, tags, wait and as_completed may come from Prefect."""
    from prefect import allow_failure, tags, unmapped
    from prefect.futures import as_completed, wait
    from prefect.utilities.annotations import quote

    @task
    def pair(x, y):
        return [x, y]

    @task
    def fail(x):
        raise ValueError(x)

    @task
    def words(x):
        return repr(x)

    @flow
    def run():
        with tags("a"):
            pairs = pair.map([1, 2], unmapped([5]))
        failed = fail.submit(1)
        done, not_done = wait([*pairs, failed])
        assert (len(done), len(not_done), len(list(as_completed(pairs)))) == (3, 0, 2)
        return [pairs, words.submit(allow_failure(failed)), words.submit(quote([1]))]

    with override(mode=mode, root=tmp_path):
        assert load(run()) == [[[1, [5]], [2, [5]]], "ValueError(1)", "[1]"]


WHEN = {
    "before prefectx": ("from prefect import get_run_logger", "", ""),
    "after prefectx": ("", "from prefect import get_run_logger", ""),
    "in the function": ("", "", "from prefect import get_run_logger"),
}


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("mode", ["function", "cache"])
def test_get_run_logger_of_prefect(mode, when, tmp_path):
    """Whenever it was imported, each line comes once, with its place and its observed call."""
    before, after, inside = WHEN[when]
    script = tmp_path / "script.py"
    script.write_text(f"""
{before}
from prefectx import flow, task
{after}

@task
def work():
    {inside or "pass"}
    get_run_logger().info("from the task")

@flow
def run():
    {inside or "pass"}
    work()
    get_run_logger().warning("from the flow")

run()
""")
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PREFECTX": mode},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split(" | ", 1)[1] for line in done.stderr.splitlines() if "from the" in line]
    assert [line.partition(":")[0] for line in lines] == ["INFO    | script", "WARNING | script"]
    of_call = "Task 'work' - " if mode == "cache" else ""
    messages = [line.rpartition(" | ")[2] for line in lines]
    assert messages == [f"{of_call}from the task", "from the flow"]


def test_get_run_logger_of_prefect_fails_where_prefect_runs():
    """In the Prefect modes it stays what it is: outside a run there is none."""
    from prefect import get_run_logger
    from prefect.exceptions import MissingContextError

    with override(mode="prefect.skiptask"), pytest.raises(MissingContextError):
        get_run_logger()


@task
def pair(x, y):
    return x, y


ERRORS = {
    "ParameterBindError": (lambda: pair.submit(z=1), TypeError, r"pair\(x, y\): .*'x'"),
    "MappingMissingIterable": (lambda: pair.map(1, 2), TypeError, "task 'pair'.*one iterable"),
    "MappingLengthMismatch": (lambda: pair.map([1], [1, 2]), ValueError, "task 'pair'.*'y': 2"),
}


@pytest.mark.parametrize("mode", ["function", "cache", "prefect.skiptask"])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_prefects_too(name, mode, tmp_path):
    exceptions = pytest.importorskip("prefect.exceptions")
    use, builtin, message = ERRORS[name]
    with override(mode=mode, root=tmp_path):
        for expected in (builtin, getattr(exceptions, name)):
            with pytest.raises(expected, match=message) as caught:
                use()
        again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))


def test_errors_are_plain_where_no_prefect_is_imported(tmp_path):
    code = """
import sys
from prefectx import task
try:
    task(lambda x: x).submit()
except TypeError as error:
    print(error, [cls.__name__ for cls in type(error).__mro__][:2], "prefect" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PREFECTX": "cache"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("'x' ['BindError', 'TypeError'] False\n")

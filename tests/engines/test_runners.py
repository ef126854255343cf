"""Runners: submitted calls of the mode cache, at once, in threads, in processes, on Dask."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

import prefectx
from prefectx import allow_failure, as_completed, flow, load, wait
from prefectx.errors import UpstreamError, WorkerError
from tests.engines import runner_tasks as tasks

PARALLEL = ["threads", "processes", pytest.param("dask", marks=pytest.mark.dask)]


@pytest.fixture
def runner(request, tmp_path):
    """The runner, with outputs under tmp_path and two workers, unless the test says more."""
    chosen = {"type": request.param, "max_workers": 2}
    dask = {"workers": 2, "threads_per_worker": 1}
    with prefectx.override(mode="cache", root=tmp_path, runner=chosen, dask=dask):
        yield request.param


every = pytest.mark.parametrize("runner", ["inline", *PARALLEL], indirect=True)
parallel = pytest.mark.parametrize("runner", PARALLEL, indirect=True)
in_process = pytest.mark.parametrize("runner", ["inline", "threads"], indirect=True)


def in_flow(body):
    """Run a function inside a flow; return its result and the summary of the flow."""

    @flow
    def around():
        found.append(body())

    found = []
    around()
    return found[0], around.last_run


@every
def test_results_come_in_order_and_consumers_wait(runner, tmp_path):
    """A call whose inputs still run waits for them; outputs lie where the targets say."""

    def body():
        doubled = tasks.double.map(range(5))
        sum_of_all = tasks.total.submit(doubled)
        assert sum_of_all.item.location == str(tmp_path / "out" / "total.json")
        return load(doubled), load(sum_of_all)

    results, summary = in_flow(body)
    assert results == ([0, 2, 4, 6, 8], 20)
    assert (tmp_path / "out" / "3.json").read_text().strip() == "6"
    assert summary.tasks["double"].ran == 5
    assert summary.tasks["double"].running == 0


@every
def test_finished_calls_do_not_run_again(runner):
    """A second run skips all, and an output that was deleted is made again alone."""

    def body():
        return load(tasks.double.map(range(4)))

    in_flow(body)
    second, summary = in_flow(body)
    assert second == [0, 2, 4, 6]
    assert (summary.tasks["double"].skipped, summary.tasks["double"].ran) == (4, 0)


@parallel
def test_calls_run_side_by_side(runner, tmp_path):
    """Two calls that wait for each other end, async ones too."""

    def body():
        both = tasks.meet.map([1, 2], 2, str(tmp_path / "met"))
        others = tasks.meet_async.map([1, 2], 2, str(tmp_path / "met-async"))
        return load([*both, *others])

    assert in_flow(body)[0] == [1, 2, 1, 2]


@every
def test_failures_are_held_by_their_futures(runner):
    """A failure stops nothing but what needs it, and comes with its type and its traceback."""

    def body():
        failed = tasks.bad.submit(1)
        needs_it = tasks.total.submit([failed])
        takes_it = tasks.kept_nowhere.submit(allow_failure(failed))
        wait([failed, needs_it, takes_it])
        with pytest.raises(ValueError, match="no 1") as raised:
            failed.result()
        assert "def bad" in str(raised.getrepr(style="long")) or "in bad" in str(
            raised.value.__cause__
        )
        with pytest.raises(UpstreamError, match="ValueError: no 1"):
            needs_it.result()
        return [f.state.name for f in (failed, needs_it, takes_it)]

    names, summary = in_flow(body)
    assert names == ["Failed", "Failed", "Completed"]
    assert summary.tasks["bad"].failed == 1


@parallel
def test_an_exception_that_does_not_survive_a_pickle(runner):
    """Whatever it is, its type and its words arrive."""

    def body():
        failed = tasks.unlucky.submit(1)
        failed.wait()
        return failed.state.message

    assert "Unlucky: 1 because of rain" in in_flow(body)[0]


@every
def test_waiting(runner):
    """wait, as_completed, timeouts, callbacks and wait_for hold what they promise."""

    def body():
        called = threading.Event()
        first = tasks.late.submit(1, 2)
        first.add_done_callback(lambda future: called.set())
        if runner != "inline":
            assert not first.state.is_final()
            assert wait([first], timeout=0.01).not_done == {first}
            with pytest.raises(TimeoutError, match="'late'"):
                first.result(timeout=0.01)
            with pytest.raises(TimeoutError, match="1 futures unfinished"):
                list(as_completed([first], timeout=0.01))
        second = tasks.double.submit(1, wait_for=[first])
        order = list(as_completed([second, first]))
        assert called.wait(5)
        assert wait([first, second]).not_done == set()
        return [future is first for future in order]

    order, _ = in_flow(body)
    assert sorted(order) == [False, True]
    if runner != "inline":
        assert order == [True, False]


@every
def test_calls_that_submit_calls(runner):
    """Fewer workers than calls that wait for others: nothing hangs."""

    def body():
        return load(tasks.nested.map(range(1, 5)))

    assert in_flow(body)[0] == [[20 * x, 20 * x + 2] for x in range(1, 5)]


@parallel
def test_calls_that_wait_for_chains_of_calls(runner, tmp_path):
    """One worker is enough, however long the chains are that its calls wait for."""

    def body():
        chains = tasks.chain.map([1, 2], 300)
        return load(chains), load(tasks.chain_async.map([1, 2], str(tmp_path / "met")))

    with prefectx.override(runner={"max_workers": 1}, dask={"workers": 1}):
        assert in_flow(body)[0] == ([2, 4], ["1-inner", "2-inner"])


@every
def test_a_flow_that_does_not_wait(runner, tmp_path):
    """What was submitted runs before the flow ends."""
    in_flow(lambda: tasks.late.map([1, 2, 3], 0.05) and None)
    assert len(list((tmp_path / "out").iterdir())) == 3


@parallel
def test_a_flow_that_raises(runner, tmp_path):
    """What has not begun does not run; what has begun is finished or leaves nothing."""

    @flow
    def fails():
        tasks.late.submit(0, 0).wait()
        tasks.late.map(range(1, 40), 0.5)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fails()
    assert len(list((tmp_path / "out").iterdir())) < 20
    assert not list((tmp_path / "out").glob(".*.tmp"))
    assert fails.last_run.tasks["late"].failed == 0
    assert fails.last_run.tasks["late"].running > 0
    before = len(list((tmp_path / "out").iterdir()))
    time.sleep(0.7)
    assert len(list((tmp_path / "out").iterdir())) == before


@pytest.mark.parametrize(
    "runner", ["processes", pytest.param("dask", marks=pytest.mark.dask)], indirect=True
)
def test_a_process_that_dies(runner, tmp_path):
    """Its call fails with the reason; every other call gives its result."""

    def body():
        futures = tasks.deaths.map(range(8), str(tmp_path / "begun"))
        wait(futures)
        with pytest.raises(WorkerError, match=r"'deaths'.*died while running it"):
            futures[3].result()
        assert futures[3].state.is_crashed()
        return load([future for future in futures if future is not futures[3]])

    with prefectx.override(dask={"allowed_failures": 1}):
        assert in_flow(body)[0] == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize(
    "runner", ["processes", pytest.param("dask", marks=pytest.mark.dask)], indirect=True
)
def test_what_cannot_travel(runner):
    """Arguments and results that cannot be pickled give an error that names the task."""

    def body():
        result = tasks.lock.submit(1)
        argument = tasks.kept_nowhere.submit(threading.Lock())
        unreadable = tasks.only_there.submit(1)
        wait([result, argument, unreadable])
        return [future.state.message for future in (result, argument, unreadable)]

    result, argument, unreadable = in_flow(body)[0]
    assert "task 'only_there': what its worker has sent cannot be read here" in unreadable
    assert "task 'lock': what it returned cannot be sent" in result
    assert "task 'kept_nowhere': the call cannot be sent" in argument


@every
def test_what_holds_where_a_call_is_made_holds_where_it_runs(runner, tmp_path):
    """Settings, overrides and values of `prefectx.context`."""

    def body():
        with prefectx.context(base="a"):
            first = tasks.here.submit(1)
        with prefectx.override(fsync=False, root=tmp_path / "other"), prefectx.context(base="b"):
            second = tasks.here.submit(2)
        return load([first, second]), second.item.location

    (first, second), location = in_flow(body)[0]
    assert first == [str(tmp_path), True]
    assert second == [str(tmp_path / "other"), False]
    assert location == str(tmp_path / "other" / "out" / "here-b.json")


@every
def test_retries_and_time_limits(runner, tmp_path):
    """Prefect's keywords act without Prefect."""

    def body():
        flaky = tasks.flaky.submit(1, str(tmp_path / "tries"))
        flaky_async = tasks.flaky_async.submit(1, str(tmp_path / "async-tries"))
        slow = tasks.too_slow.submit(1)
        wait([flaky, flaky_async, slow])
        assert load(flaky_async) == 2
        with pytest.raises(TimeoutError, match=r"'too_slow' took longer than 0\.2 s"):
            slow.result()
        return load(flaky)

    assert in_flow(body)[0] == 3


@in_process
def test_outside_a_flow(runner):
    """The runner serves calls outside flows as well."""
    assert load(tasks.total.submit(tasks.double.map(range(4)))) == 12


@in_process
async def test_an_async_flow(runner, tmp_path):
    """An event loop that runs the flow is no obstacle."""

    @flow
    async def around():
        futures = tasks.meet_async.map([1, 2], 1, str(tmp_path / "met"))
        return load([*futures, tasks.double.submit(4)])

    assert await around() == [1, 2, 8]


@pytest.mark.parametrize("runner", ["threads"], indirect=True)
def test_a_long_chain_of_failures(runner):
    """A failure passes through more calls than Python's stack is deep."""

    def body():
        future = tasks.bad.submit(0)
        for number in range(3_000):
            future = tasks.add.submit(number, [future])
        future.wait()
        return future.state.message

    assert "ValueError: no 0" in in_flow(body)[0]


graphs = st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=30)


@pytest.mark.parametrize("runner", ["threads"], indirect=True)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(graph=graphs, failing=st.sets(st.integers(0, 29)), data=st.data())
def test_random_graphs(runner, tmp_path_factory, graph, failing, data):
    """Any graph of calls gives what it gives in a loop, and skips in the next run what it gave."""
    expected = {}
    for key, inputs in enumerate(graph):
        known = [expected[i] for i in inputs if i < key]
        expected[key] = None if key in failing or None in known else key + sum(known)

    def body():
        futures = {}
        for key, inputs in enumerate(graph):
            parts = [futures[i] for i in inputs if i < key]
            make = tasks.bad.submit(key) if key in failing else tasks.add.submit(key, parts)
            futures[key] = make
        return [load(f) if f.state.is_completed() else None for f in map(waited, futures.values())]

    with prefectx.override(root=tmp_path_factory.mktemp("graph")):
        assert in_flow(body)[0] == list(expected.values())
        again, summary = in_flow(body)
    assert again == list(expected.values())
    if "add" in summary.tasks:
        assert summary.tasks["add"].ran == 0


def waited(future):
    """Return a future when it is over."""
    future.wait()
    return future


def run_program(folder, text, runner, **variables):
    """Run a program in mode cache on a runner; return what it did."""
    (folder / "program.py").write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env={**os.environ, "PREFECTX": "cache", "PREFECTX_RUNNER__TYPE": runner, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


PROGRAM = """
    import sys
    from prefectx import flow, task

    @task(target="out/{x}.json")
    def double(x):
        return 2 * x

    @flow
    def main():
        return [future.result().load() for future in double.map(range(3))]

    if __name__ == "__main__":
        print(main())
        found = {name.partition(".")[0] for name in sys.modules}
        print(sorted(found & {"prefect", "distributed", "dask", "loky"}))
"""


@pytest.mark.parametrize(
    ("runner", "imported"),
    [("inline", "[]"), ("threads", "[]"), ("processes", "['loky']")],
)
def test_a_program(runner, imported, tmp_path):
    """Tasks of the program itself work; nothing is imported that the runner does not need."""
    for modules in (imported, "[]"):  # the second run finds all outputs
        done = run_program(tmp_path, PROGRAM, runner)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["[0, 2, 4]", modules]
        assert "Traceback" not in done.stderr


CHANGING = """
    from prefectx import flow, task

    FACTOR = 1

    @task(target="out/{x}.json")
    def scaled(x):
        return FACTOR * x

    @flow
    def main():
        global FACTOR
        first = scaled.submit(1).result().load()
        FACTOR = 5
        return first, scaled.submit(2).result().load()

    if __name__ == "__main__":
        print(main())
"""


@pytest.mark.parametrize(
    "runner", ["inline", "threads", "processes", pytest.param("dask", marks=pytest.mark.dask)]
)
def test_a_program_that_changes(runner, tmp_path):
    """A call sees the program's values as they are when it is submitted."""
    done = run_program(tmp_path, CHANGING, runner)
    assert done.stdout == "(1, 10)\n", done.stderr


@pytest.mark.dask
def test_flows_with_other_settings_on_one_cluster(tmp_path):
    """What the workers keep of one flow does not serve the next."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        for name in ("a", "b"):
            with (
                prefectx.override(
                    mode="cache",
                    root=tmp_path / name,
                    fsync=name == "a",
                    runner={"type": "dask"},
                    dask={"address": cluster.scheduler_address},
                ),
                prefectx.context(base="x"),
            ):
                found, _ = in_flow(lambda: load(tasks.here.submit(1)))
                assert found == [str(tmp_path / name), name == "a"]


UNGUARDED = """
    from prefectx import flow, task

    @task(target="out/{x}.json")
    def double(x):
        return 2 * x

    @flow
    def main():
        double.submit(1).wait()

    main()
"""


@pytest.mark.dask
@pytest.mark.skipif(
    Version(dask.__version__) < Version("2026.1"), reason="Dask starts such workers for ever"
)
def test_a_program_that_its_workers_cannot_import(tmp_path):
    """One line from each worker and the error say what to write."""
    done = run_program(tmp_path, UNGUARDED, "dask", PREFECTX_DASK__WORKERS="1")
    assert done.returncode == 1
    assert "WorkerError: the Dask cluster does not start" in done.stderr.splitlines()[-1]
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert "a Dask worker cannot import the program" in done.stderr
    assert "freeze_support" not in done.stderr


FORKING = """
    import os
    from prefectx import flow, task

    @task(target="out/{x}.json")
    def double(x):
        return 2 * x

    @flow
    def main():
        double.submit(1).wait()
        child = os.fork()
        if not child:
            os._exit(double.submit(2).result().load())
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    print(main())
"""


def test_a_program_that_forks(tmp_path):
    """The child has no threads of the pool: there calls run at once."""
    done = run_program(tmp_path, FORKING, "threads")
    assert done.stdout == "4\n", done.stderr


UNWAITED = """
    import time
    from prefectx import task

    @task(target="out/{x}.json")
    def late(x):
        time.sleep(0.01)
        return x

    @task(target="out/total.json")
    def total(parts):
        return sum(parts)

    if __name__ == "__main__":
        total.submit(late.map(range(30)))
"""


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_a_program_that_does_not_wait(runner, tmp_path):
    """What was submitted outside flows runs before the program ends, also what waits for it."""
    assert run_program(tmp_path, UNWAITED, runner).returncode == 0
    assert (tmp_path / "out" / "total.json").read_text().strip() == "435"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_a_program_that_is_told_to_end(runner, number, tmp_path):
    """No worker stays, nothing half-written, also when the program is killed."""
    text = (
        textwrap.dedent(UNWAITED).replace("0.01", "0.5").replace("import task", "import flow, task")
    )
    submits = "total.submit(late.map(range(30)))"
    (tmp_path / "program.py").write_text(text.replace(submits, f"flow(lambda: {submits})()"))
    environment = {
        **os.environ,
        "PREFECTX": "cache",
        "PREFECTX_RUNNER__TYPE": runner,
        "PREFECTX_RUNNER__MAX_WORKERS": "2",
    }
    running = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out = tmp_path / "out"
    end = time.monotonic() + 60
    while not (out.exists() and any(out.glob("*.json"))):
        assert time.monotonic() < end, "nothing was made"
        time.sleep(0.02)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode in (128 + number, -number)
    assert said.count("Traceback") <= 1, said
    made = len(list(out.iterdir()))
    assert 0 < made < 30
    if number != signal.SIGKILL:
        assert not list(out.glob(".*.tmp"))
    # Those of a process that was killed notice it within a second or two.
    end = time.monotonic() + 30
    while _processes_of_session(running.pid):
        assert time.monotonic() < end, "a worker is left"
        time.sleep(0.1)
    made = len(list(out.iterdir()))
    time.sleep(0.5)
    assert len(list(out.iterdir())) == made


def _processes_of_session(session):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(stat)
    return found

"""Lazy tasks: what runs, and when."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

import prefectx
from prefectx import allow_failure, as_completed, flow, load, task, unmapped, wait

MODES = [
    ("cache", "inline"),
    ("cache", "threads"),
    ("cache", "processes"),
    pytest.param(("cache", "dask"), marks=pytest.mark.dask),
    pytest.param(("prefect.skiptask", "threads"), marks=pytest.mark.prefect),
    pytest.param(("prefect.cachetask", "threads"), marks=pytest.mark.prefect),
    pytest.param(("prefect.skiptask", "dask"), marks=[pytest.mark.prefect, pytest.mark.dask]),
]


@task(target="raw/{n}.json", lazy=True)
def download(n):
    return [n]


@task(target="clean/{n}.json", lazy=True)
def clean(n, raw):
    return [x * 2 for x in raw]


@task(target="report.json")
def report(parts):
    return sum(sum(part) for part in parts)


@task(target="fails/{n}.json", lazy=True)
def fail(n):
    raise ValueError(f"no {n}")


@task(target="other/{n}.json")
def other(n, x=None):
    return str(x)


@task(target="chain/{n}.json", lazy=True)
def link(n, x):
    return x + 1


@pytest.fixture(params=MODES, ids="-".join)
def anywhere(request, tmp_path):
    mode, runner = request.param
    if mode.startswith("prefect"):
        request.getfixturevalue("on_prefect")
    workers = {"dask": {"workers": 1}} if runner == "dask" else {}
    with prefectx.override(
        mode=mode, root=tmp_path, runner={"type": runner, "max_workers": 2}, progress=False,
        fsync=False, **workers,
    ):  # fmt: skip
        yield tmp_path


@pytest.fixture
def here(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path, progress=False):
        yield tmp_path


def files(folder):
    found = folder.rglob("*")
    return sorted(
        str(path.relative_to(folder)) for path in found
        if path.is_file() and ".prefectx" not in path.parts
    )  # fmt: skip


def test_what_a_result_needs_is_made_and_nothing_is_made_again_when_it_is_gone(anywhere):
    @flow
    def pipeline():
        return report.submit([clean.submit(n, download.submit(n)) for n in range(3)])

    assert load(pipeline()) == 6
    counts = pipeline.last_run.tasks
    assert (counts["download"].ran, counts["clean"].ran, counts["report"].ran) == (3, 3, 1)
    for folder in ("raw", "clean"):
        for path in (anywhere / folder).iterdir():
            path.unlink()
    assert load(pipeline()) == 6
    assert files(anywhere) == ["report.json"]
    counts = pipeline.last_run.tasks
    assert (counts["download"].not_needed, counts["clean"].not_needed) == (3, 3)
    assert "3 not needed" in "\n".join(pipeline.last_run.lines())
    (anywhere / "report.json").unlink()
    assert load(pipeline()) == 6
    assert len(files(anywhere)) == 7


def test_called_mapped_nested_and_in_wait_for(anywhere):
    @flow
    def pipeline():
        raw = [download(n) for n in range(4)]
        mapped = clean.map([0, 1], raw[:2])
        other.submit(1, {"a": [mapped[0]], "b": (raw[2],)}).wait()
        other.map([2, 3], unmapped(mapped[1])).wait()
        other.submit(4, wait_for=[raw[3]] if False else [clean.submit(3, raw[3])]).wait()

    pipeline()
    assert files(anywhere) == [
        *(f"clean/{n}.json" for n in (0, 1, 3)),
        *(f"other/{n}.json" for n in (1, 2, 3, 4)),
        *(f"raw/{n}.json" for n in range(4)),
    ]


def test_a_failed_lazy_input_fails_its_consumer_like_any_other(anywhere):
    @flow
    def pipeline():
        bad = fail.submit(1)
        states = [other.submit(1, [bad]), other.submit(2, allow_failure(bad)), fail.submit(2)]
        wait(states[:2])
        return [future.state.name for future in states]

    # The last one is returned as a name, so nothing needs it.
    names = pipeline()
    assert names[1:] == ["Completed", "Pending"]
    assert names[0] in ("Failed", "NotReady")
    counts = pipeline.last_run.tasks["fail"]
    assert (counts.failed, counts.not_needed) == (1, 1)


def test_what_a_flow_returns_is_made(anywhere):
    @flow
    def inner():
        return download.submit(1)

    @flow
    def pipeline():
        return {"one": inner(), "two": [download.submit(2)]}

    found = pipeline()
    assert files(anywhere) == ["raw/1.json", "raw/2.json"]
    assert load(found["one"]) == [1]


def test_a_chain_of_a_thousand_needs_no_recursion(here):
    @flow
    def pipeline(last):
        x = 0
        for n in range(1000):
            x = link.submit(n, x)
        return other.submit(last, x)

    assert load(pipeline(1)) == "1000"
    for path in (here / "chain").iterdir():
        path.unlink()
    pipeline(1)
    assert pipeline.last_run.tasks["link"].not_needed == 1000
    assert load(pipeline(2)) == "1000"
    assert pipeline.last_run.tasks["link"].ran == 1000


def test_outside_flows_whoever_reads_it_has_it_made(here):
    item = download(1)
    assert not item.exists()
    assert item.load() == [1]
    future = download.submit(2)
    assert not future.state.is_final()
    assert future.result().load() == [2]
    assert load([download.submit(3), download(4)]) == [[3], [4]]
    futures = download.map([5, 6])
    assert {future.item.stem for future in as_completed(futures)} == {"5", "6"}


def test_async_tasks_and_methods(here):
    class Source:
        @task(target="raw/{n}.json", lazy=True)
        def get(self, n):
            return n

    @task(target="async/{n}.json", lazy=True)
    async def fetch(n):
        return n

    @flow
    async def pipeline():
        one, two = Source().get.submit(1), await fetch(2)
        return await double(one, two)

    @task(target="sum.json")
    async def double(one, two):
        return one + two

    assert load(asyncio.run(pipeline())) == 3


def test_the_same_call_is_made_once(here):
    ran = []

    @task(target="raw/{n}.json", lazy=True)
    def count(n):
        ran.append(n)
        return n

    @flow
    def pipeline():
        one, again = count.submit(1), count.submit(1)
        return [other.submit(n, x) for n, x in enumerate((one, again, one))]

    pipeline()
    assert ran == [1]


def test_a_changed_file_behind_a_missing_lazy_output_makes_results_stale(here):
    source = here / "source.txt"
    source.write_text("1")

    @task(target="raw.json", lazy=True)
    def read(path):
        return int(path.read_text()) // 10

    @task(target="result.json")
    def result(x):
        return x

    @flow
    def pipeline():
        return result.submit(read.submit(source))

    with prefectx.override(stale={"files": "rerun", "inputs": "rerun"}):
        pipeline()
        (here / "raw.json").unlink()
        source.unlink()
        source.write_text("2")  # the output will be the same
        pipeline()
        assert pipeline.last_run.tasks["read"].ran == 1
        assert pipeline.last_run.tasks["result"].ran == 0
        (here / "raw.json").unlink()
        source.unlink()
        source.write_text("30")
        assert load(pipeline()) == 3
        assert pipeline.last_run.tasks["result"].ran == 1
    (here / "raw.json").unlink()
    source.unlink()
    source.write_text("40")
    pipeline()
    assert pipeline.last_run.stale["result"]
    assert not (here / "raw.json").exists()


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_an_input_of_a_lazy_call_that_is_being_made_decides_whether_it_is_needed(here, runner):
    @task(target="first.json")
    def first(path):
        time.sleep(0.2)
        return int(path.read_text())

    @task(target="middle.json", lazy=True)
    def middle(x):
        return x // 10

    @task(target="last.json", lazy=True)
    def last(x):
        return x + 1

    @flow
    def pipeline():
        return other.submit(1, last.submit(middle.submit(first.submit(here / "source.txt"))))

    (here / "source.txt").write_text("1")
    with prefectx.override(stale="rerun", runner={"type": runner}):
        for text, ran in (("1", True), ("2", False), ("30", True)):
            (here / "source.txt").unlink()
            (here / "source.txt").write_text(text)
            for name in ("middle.json", "last.json"):
                (here / name).unlink(missing_ok=True)
            assert load(pipeline()) == str(int(text) // 10 + 1)
            assert bool(pipeline.last_run.tasks["other"].ran) is ran


def test_other_bytes_of_the_same_recipe_make_nothing_stale(here, caplog):
    numbers = iter(range(10))

    @task(target="raw.json", lazy=True)
    def random():
        return next(numbers)

    @flow
    def pipeline(number):
        return other.submit(number, random.submit())

    with prefectx.override(stale="rerun"):
        pipeline(1)
        (here / "raw.json").unlink()
        with caplog.at_level(logging.WARNING, "prefectx.records"):
            pipeline(2)
        assert "not reproducible" in caplog.text
        pipeline(1)
        assert pipeline.last_run.tasks["other"].skipped == 1
        random.with_options(refresh=True)()  # somebody asked for another one
        prefectx.load(random.with_options(refresh=True)())
        pipeline(1)
        assert pipeline.last_run.tasks["other"].ran == 1


def test_lazy_tasks_just_run_where_nothing_is_kept(tmp_path):
    with prefectx.override(mode="function", root=tmp_path):
        assert download(1) == [1]
        assert download.submit(1).result() == [1]


def test_the_plan_tells_what_is_not_needed(here):
    @flow
    def pipeline():
        return report.submit([download.submit(n) for n in range(2)])

    assert [call.status for call in prefectx.plan(pipeline).calls] == ["run", "run", "run"]
    pipeline()
    for path in (here / "raw").iterdir():
        path.unlink()
    plan = prefectx.plan(pipeline)
    assert not plan.would_run
    assert plan.counts()["download"]["not needed"] == 2
    assert "download: 2 not needed" in plan.reasons()

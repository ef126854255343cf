"""Temporary outputs: deleted when the flow run in which they were made has ended well."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import prefectx
from prefectx import ConfigError, flow, load, task
from tests.lazy.test_lazy import MODES, files, other
from tests.records.project import PACKAGE


@task(target="raw/{n}.json", temporary=True)
def fetch(n):
    return [n]


@task(target="result/{n}.json")
def result(n, x, fails=False):
    if fails:
        raise ValueError(n)
    return x


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


def test_they_are_gone_after_the_run_and_nothing_is_made_again(anywhere):
    @flow
    def pipeline():
        return [result.submit(n, fetch.submit(n)) for n in range(2)]

    with prefectx.override(stale="rerun"):
        pipeline()
        assert files(anywhere) == ["result/0.json", "result/1.json"]
        assert pipeline.last_run.tasks["fetch"].deleted == 2
        pipeline()
        counts = pipeline.last_run.tasks
        assert (counts["fetch"].ran, counts["fetch"].not_needed, counts["result"].ran) == (0, 2, 0)
        (anywhere / "result/1.json").unlink()
        pipeline()
        assert pipeline.last_run.tasks["fetch"].ran == 1
        assert files(anywhere) == ["result/0.json", "result/1.json"]


def test_after_a_failure_they_stay_so_that_the_next_run_goes_on(here):
    @flow
    def pipeline(fails):
        return [
            result.submit(n, fetch.submit(n), fails).state.name for n in range(2)
        ]  # fmt: skip

    assert pipeline(fails=True) == ["Failed", "Failed"]
    assert files(here) == ["raw/0.json", "raw/1.json"]
    with prefectx.override(stale={"arguments": "ignore"}):
        assert pipeline(fails=False) == ["Completed", "Completed"]
    assert pipeline.last_run.tasks["fetch"].ran == 0
    assert files(here) == ["result/0.json", "result/1.json"]


def test_a_flow_that_raises_keeps_them(here):
    @flow
    def pipeline():
        result(1, fetch(1))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        pipeline()
    assert files(here) == ["raw/1.json", "result/1.json"]


def test_a_later_run_removes_what_a_killed_one_has_left(tmp_path):
    (tmp_path / "prefectx.toml").touch()
    (tmp_path / "flow.py").write_text(
        "import os, sys\n"
        "from prefectx import flow, task\n"
        "@task(target='raw/{n}.json', temporary=True)\n"
        "def fetch(n): return n\n"
        "@task(target='result/{n}.json')\n"
        "def result(n, x):\n"
        "    if len(sys.argv) > 1: os._exit(9)\n"
        "    return x\n"
        "@flow\n"
        "def pipeline(): result(1, fetch(1))\n"
        "pipeline()\n"
    )
    environment = {**os.environ, "PREFECTX": "cache", "PYTHONPATH": str(PACKAGE)}
    for arguments, code in ((["die"], 9), ([], 0)):
        said = subprocess.run(
            [sys.executable, "flow.py", *arguments], cwd=tmp_path, env=environment
        )
        assert said.returncode == code
        left = [name for name in files(tmp_path) if name.endswith(".json")]
        assert left == (["raw/1.json"] if arguments else ["result/1.json"])


def test_what_was_edited_or_made_by_others_stays(here):
    @task(target="raw/{n}.json", name="edits")
    def edits(n, x):
        (here / "raw/1.json").write_text("[7]")
        return x

    @flow
    def pipeline():
        one = fetch.submit(1)
        edits.with_options(target="edits.json")(1, one)
        other.submit(1, one)

    pipeline()
    assert "raw/1.json" in files(here)
    with prefectx.override(records=False):
        prefectx.Filestore().save(str(here / "raw/2.json"), [5])

    @flow
    def second():
        other.submit(2, fetch.submit(2))

    second()
    assert "raw/2.json" in files(here)


def test_of_flows_in_each_other_the_outermost_deletes_them(here):
    @flow
    def inner():
        result(1, fetch(1))
        return files(here)

    @flow
    def outer():
        seen = inner()
        other.submit(1, fetch.submit(1))
        return seen

    assert outer() == ["raw/1.json", "result/1.json"]
    assert files(here) == ["other/1.json", "result/1.json"]
    assert outer.last_run.tasks["fetch"].skipped == 1


def test_a_failure_in_an_inner_flow_keeps_them(here):
    @flow
    def inner():
        result.submit(1, fetch.submit(1), fails=True)

    @flow
    def outer():
        inner()

    outer()
    assert files(here) == ["raw/1.json"]


def test_they_need_records(here):
    with prefectx.override(records=False), pytest.raises(ConfigError, match="needs records"):
        fetch(1)


def test_an_output_that_the_flow_returns_is_deleted_too(here):
    @flow
    def pipeline():
        return load(fetch.submit(1))

    assert pipeline() == [1]
    assert files(here) == []

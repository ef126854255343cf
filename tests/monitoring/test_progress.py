"""What is counted and shown of a flow run, where no Prefect runs it."""

import os
import pty
import subprocess
import sys

import pytest

import prefectx
from prefectx import flow, task
from prefectx.monitoring import display
from prefectx.monitoring.words import in_words


@task(target="out/{x}.json")
def number(x):
    if x == 13:
        raise ValueError("unlucky")
    return x


@flow
def pipeline(xs):
    number.map(xs)


@flow
async def pipeline_async():
    @task
    async def add(x):
        return x + 1

    return await add(1)


@pytest.fixture(params=["function", "cache"])
def mode(request, tmp_path):
    with prefectx.override(mode=request.param, root=tmp_path):
        yield request.param


def test_last_run(mode, tmp_path):
    """`last_run` says what the calls came to, and names the targets of the failures."""
    assert pipeline.last_run is None or pipeline.last_run.flow == "pipeline"
    for skipped in (0, 2 if mode == "cache" else 0):
        pipeline([1, 2, 13])
        counts = pipeline.last_run.tasks["number"]
        assert (counts.skipped, counts.ran, counts.failed) == (skipped, 2 - skipped, 1)
        assert counts.running == 0
        [failure] = pipeline.last_run.failures
        assert failure.reason == "ValueError: unlucky"
        assert failure.target == (str(tmp_path / "out/13.json") if mode == "cache" else None)


async def test_async_calls_are_counted(mode):
    """So do async flows."""
    assert prefectx.load(await pipeline_async()) == 2
    assert pipeline_async.last_run.tasks["add"].ran == 1


def test_a_flow_in_a_flow_counts_its_own(mode):
    """Each flow has a summary of its own."""

    @flow
    def outer():
        number(1)
        pipeline([1, 2])

    outer()
    assert sum(vars(outer.last_run.tasks["number"])[key] for key in ("skipped", "ran")) == 1
    assert sum(vars(pipeline.last_run.tasks["number"])[key] for key in ("skipped", "ran")) == 2


def test_summary_is_logged(mode, caplog):
    """The end of a flow is one line for each task."""
    caplog.set_level("INFO", "prefectx")
    pipeline([1, 13])
    assert "pipeline: number: 1 ran, 1 failed, the longest 0." in caplog.text


def test_plain_lines_at_intervals(mode, caplog, monkeypatch):
    """Where no terminal is, a long run says at intervals how it gets on."""
    caplog.set_level("INFO", "prefectx")
    monkeypatch.setattr(display, "_INTERVAL", 0.01)

    @task
    def slow():
        import time

        time.sleep(0.3)

    @flow
    def waiting():
        slow()

    waiting()
    assert "slow 0 skipped 1 running 0 done 0 failed" in caplog.text
    caplog.clear()
    with prefectx.override(progress=False):
        waiting()
    assert "running" not in caplog.text


def test_live_lines_on_a_terminal(tmp_path):
    """A terminal shows a line for each task while the flow runs, and log lines above."""
    (tmp_path / "program.py").write_text(
        "import time\n"
        "from prefectx import flow, get_run_logger, task\n"
        "@task(target=None)\n"
        "def slow(): time.sleep(1)\n"
        "@flow\n"
        "def pipeline():\n"
        "    get_run_logger().info('at the beginning')\n"
        "    slow()\n"
        "pipeline()\n"
    )
    ours, theirs = pty.openpty()
    command = [sys.executable, "program.py"]
    environment = {**os.environ, "PREFECTX": "cache", "TERM": "xterm"}
    subprocess.run(command, cwd=tmp_path, env=environment, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "at the beginning" in shown
    assert "0 skipped      1 running" in shown
    assert "slow: 1 ran, the longest 1.0" in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.123, "0.12 s"),
        (45.4, "45 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (119.7, "2 min 0 s"),
    ],
)
def test_durations_in_words(seconds, words):
    """Durations read as people write them."""
    assert in_words(seconds) == words

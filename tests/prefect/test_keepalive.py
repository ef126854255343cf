"""Long tasks: what is reported of them, and what becomes of a run when its process or its server
goes. Each of the slow tests fails without keepalive."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.prefect.conftest import Server, server_environment

PROGRAM = """
import ctypes, sys, time
from pathlib import Path
from prefectx import flow, get_run_logger, task

@task(target=None)
def long(seconds, hold):
    log = get_run_logger()
    Path("started").touch()
    if hold:
        # Called through PyDLL, a C function keeps the interpreter locked.
        ctypes.PyDLL(None).sleep(int(seconds))
        return
    for i in range(seconds):
        log.info("line %d", i)
        time.sleep(1)

@flow
def pipeline(seconds, hold):
    long.submit(seconds, hold).result()

if __name__ == "__main__":
    pipeline(int(sys.argv[1]), len(sys.argv) > 2)
"""


class Program:
    """The program above in a process of its own, against a server."""

    def __init__(self, folder: Path, server: Server, *arguments: str, **environment: str) -> None:
        self.folder = folder
        (folder / "program.py").write_text(PROGRAM)
        self.log = (folder / "program.log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "program.py", *arguments],
            env={**server_environment(folder), "PREFECT_API_URL": server.url, **environment},
            cwd=folder,
            stdout=self.log,
            stderr=self.log,
        )
        self._wait_for_start()

    def _wait_for_start(self) -> None:
        end = time.monotonic() + 90
        while not (self.folder / "started").exists():
            assert time.monotonic() < end, self.output()
            assert self.process.poll() is None, self.output()
            time.sleep(0.1)

    def output(self) -> str:
        return (self.folder / "program.log").read_text()


@pytest.fixture
def own_server(tmp_path: Path):
    """A server that the test may stop and start again."""
    home = tmp_path / "server"
    home.mkdir()
    server = Server(home)
    server.start()
    yield server
    server.stop()


def states(server: Server) -> dict[str, set[str]]:
    return {
        kind: {run["state_type"] for run in server.read(kind)}
        for kind in ("flow_runs", "task_runs")
    }


def wait_for_states(server: Server, expected: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if states(server) == {"flow_runs": {expected}, "task_runs": {expected}}:
            return
        time.sleep(0.5)
    assert states(server) == {"flow_runs": {expected}, "task_runs": {expected}}


def messages(server: Server) -> list[str]:
    return [line["message"] for line in server.read("logs", limit=200, sort="TIMESTAMP_ASC")]


@pytest.mark.slow
def test_a_killed_process_leaves_crashed_runs(own_server, tmp_path):
    """The flow's process is killed: its runs are Crashed within two intervals."""
    program = Program(tmp_path, own_server, "120", PREFECTX_KEEPALIVE__INTERVAL="5s")
    time.sleep(6)
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait()
    wait_for_states(own_server, "CRASHED", 10)


@pytest.mark.slow
def test_without_keepalive_a_killed_process_seems_to_run(own_server, tmp_path):
    """What the other tests rest on: without keepalive nobody hears of the death."""
    program = Program(tmp_path, own_server, "120", PREFECTX_KEEPALIVE__INTERVAL="false")
    time.sleep(6)
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait()
    time.sleep(10)
    assert states(own_server)["flow_runs"] == {"RUNNING"}


@pytest.mark.slow
def test_a_task_that_holds_the_interpreter_is_reported(own_server, tmp_path):
    """A task that locks the interpreter for half a minute is reported at each interval."""
    program = Program(tmp_path, own_server, "31", "hold", PREFECTX_KEEPALIVE__INTERVAL="5s")
    time.sleep(33)
    before_its_end = messages(own_server)
    assert program.process.wait(60) == 0, program.output()
    reports = [m for m in before_its_end if m.startswith("Still running after")]
    of_task = [line for line in own_server.read("logs", limit=200) if line["task_run_id"]]
    assert len([m for m in of_task if m["message"].startswith("Still running")]) >= 5
    assert all("memory" in report for report in reports)
    assert len(reports) >= 10  # five each of the task and of its flow


@pytest.mark.slow
def test_an_outage_costs_nothing(own_server, tmp_path):
    """The server is gone for two minutes when the task ends: all is Completed, all lines there."""
    program = Program(tmp_path, own_server, "20", PREFECTX_KEEPALIVE__INTERVAL="10s")
    time.sleep(5)
    own_server.stop()
    time.sleep(120)
    own_server.start()
    # Prefect doubles the time between its attempts: it may wait as long again as the outage was.
    assert program.process.wait(420) == 0, program.output()
    wait_for_states(own_server, "COMPLETED", 20)
    lines = {m.rpartition("line ")[2] for m in messages(own_server) if "line " in m}
    assert lines == {str(i) for i in range(20)}
    assert "does not answer" in program.output()
    assert "answers again" in program.output()


def test_the_helper_ends_with_its_run(server, run_script):
    """No helper is left when the program ends, and short tasks are not reported."""
    done = run_script(
        "from prefectx import flow, task\n"
        "from prefectx import keepalive\n"
        "@task(target=None)\n"
        "def short(): pass\n"
        "@flow\n"
        "def pipeline(): short()\n"
        "pipeline()\n"
        "[helper] = keepalive._helpers.values()\n"
        "print(helper._process.pid)\n",
        PREFECT_API_URL=server.url,
    )
    assert done.returncode == 0, done.stderr
    assert "Still running" not in done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_no_helper_where_keepalive_is_off(server, run_script):
    """`interval = false` starts nothing."""
    done = run_script(
        "from prefectx import flow, task\n"
        "from prefectx import keepalive\n"
        "@task(target=None)\n"
        "def short(): pass\n"
        "@flow\n"
        "def pipeline(): short()\n"
        "pipeline()\n"
        "assert not keepalive._helpers\n",
        PREFECT_API_URL=server.url,
        PREFECTX_KEEPALIVE__INTERVAL="false",
    )
    assert done.returncode == 0, done.stderr

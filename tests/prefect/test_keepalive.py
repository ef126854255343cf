"""Long tasks: what is reported of them, and what becomes of a run when its process or its server
goes. Each of the slow tests runs its program without keepalive as well, where it fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.prefect.conftest import Api, Server, server_environment, wait_until

PROGRAM = """
import ctypes, sys, time
from pathlib import Path
import prefect
from prefectx import flow, get_run_logger, task

@task(target=None)
def long(seconds, hold):
    log = get_run_logger()
    Path("started").write_text(prefect.runtime.flow_run.id)
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
OFF = {"PREFECTX_KEEPALIVE__INTERVAL": "false", "PREFECTX_KEEPALIVE__OUTAGE": "false"}


def every(interval: str) -> dict[str, str]:
    return {"PREFECTX_KEEPALIVE__INTERVAL": interval}


class Program:
    """The program above in a process of its own, and what the API knows of its run."""

    def __init__(
        self, folder: Path, api: Api, *arguments: str, environment: dict[str, str]
    ) -> None:
        folder.mkdir()
        (folder / "program.py").write_text(PROGRAM)
        self.folder = folder
        self.api = api
        with (folder / "program.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "program.py", *arguments],
                env={**server_environment(folder), "PREFECT_API_URL": api.url, **environment},
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    def wait_for_start(self) -> None:
        started = self.folder / "started"
        wait_until(lambda: self.process.poll() is not None or started.exists(), 120)
        assert self.process.poll() is None, self.output()
        self.flow_run_id = wait_until(started.read_text)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        return (self.folder / "program.log").read_text()

    def states(self) -> set[str]:
        """Return the states of the flow run and of its task run."""
        mine = {"flow_runs": {"id": {"any_": [self.flow_run_id]}}}
        kinds = ("flow_runs", "task_runs")
        return {run["state_type"] for kind in kinds for run in self.api.read(kind, **mine)}

    def lines(self) -> list[dict[str, Any]]:
        """Return what the API has of the logs."""
        mine = {"flow_run_id": {"any_": [self.flow_run_id]}}
        return self.api.read("logs", limit=200, logs=mine)

    def reports(self) -> list[dict[str, Any]]:
        """Return what keepalive has reported."""
        return [x for x in self.lines() if x["message"].startswith("Still running after")]


@pytest.fixture
def start(tmp_path: Path):
    """Start programs side by side; what still runs at the end is killed."""
    programs: list[Program] = []

    def start(api: Api, *arguments: str, environments: list[dict[str, str]]) -> list[Program]:
        for environment in environments:
            folder = tmp_path / f"program-{len(programs)}"
            programs.append(Program(folder, api, *arguments, environment=environment))
        for program in programs:
            program.wait_for_start()
        return programs

    yield start
    for program in programs:
        program.kill()


Start = Callable[..., list[Program]]


@pytest.fixture
def own_server(tmp_path: Path):
    """A server that the test may stop and start again."""
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
def test_a_killed_process_leaves_crashed_runs(real_server: Api, start: Start):
    """The flow's process is killed: its runs are Crashed within two intervals, else never."""
    watched, unwatched = start(real_server, "120", environments=[every("5s"), OFF])
    time.sleep(6)
    for program in (watched, unwatched):
        program.kill()
    wait_until(lambda: watched.states() == {"CRASHED"}, 10)
    time.sleep(5)
    assert unwatched.states() == {"RUNNING"}


@pytest.mark.slow
def test_a_task_that_holds_the_interpreter_is_reported(real_server: Api, start: Start):
    """A task that locks the interpreter for half a minute is reported at each interval."""
    caching, plain = every("5s"), {**every("5s"), "PREFECTX": "prefect"}
    programs = start(real_server, "31", "hold", environments=[caching, plain, OFF])
    for program in programs:
        assert program.process.wait(120) == 0, program.output()
    *watched, unwatched = programs
    assert unwatched.reports() == []
    for program in watched:
        reports = program.reports()
        assert all("memory" in report["message"] for report in reports)
        for is_of_task in (True, False):  # else of its flow
            mine = [r for r in reports if (r["task_run_id"] is not None) == is_of_task]
            at = [datetime.fromisoformat(report["timestamp"]) for report in mine]
            assert len(at) >= 5
            assert max(at) - min(at) > timedelta(seconds=18)


@pytest.mark.slow
def test_an_outage_costs_nothing(own_server: Server, start: Start):
    """The server is gone for two minutes when the task ends: all is Completed, all lines there.

    It ends when the server is back. Without keepalive Prefect gives up after one minute: the run
    fails, or seems to go on for ever. Where `keepalive.outage` is less, it ends when that is over.
    """
    # The pauses between Prefect's own attempts are 2, 4, 8, ... seconds, exactly.
    off = {**OFF, "PREFECT_CLIENT_RETRY_JITTER_FACTOR": "0"}
    impatient = {**every("10s"), "PREFECTX_KEEPALIVE__OUTAGE": "20s"}
    programs = start(own_server, "40", environments=[every("10s"), off, impatient])
    watched, unwatched, gives_up = programs
    time.sleep(5)
    own_server.stop()
    time.sleep(120)
    assert gives_up.process.poll() == 1, gives_up.output()
    assert "away for longer than keepalive.outage (20 s)" in gives_up.output()
    own_server.start()
    assert watched.process.wait(40) == 0, watched.output()
    wait_until(lambda: watched.states() == {"COMPLETED"}, 20)
    said = [line["message"].rpartition("line ")[2] for line in watched.lines()]
    assert {str(i) for i in range(40)} <= set(said)
    assert "does not answer" in watched.output()
    assert "answers again" in watched.output()
    assert unwatched.process.wait(300) != 0, unwatched.output()
    assert unwatched.states() & {"FAILED", "RUNNING"}


@pytest.mark.slow
def test_a_server_that_wants_a_password(tmp_path: Path, start: Start):
    """Runs, log lines, reports and the end of the dead reach a server that wants a password."""
    server = Server(tmp_path / "server", auth="admin:secret")
    server.start()
    try:
        environment = {**every("2s"), "PREFECT_API_AUTH_STRING": "admin:secret"}
        lives, dies = start(server, "8", environments=[environment, environment])
        wait_until(dies.reports, 30)
        dies.kill()
        assert lives.process.wait(60) == 0, lives.output()
        wait_until(lambda: lives.states() == {"COMPLETED"}, 20)
        said = [line["message"].rpartition("line ")[2] for line in lives.lines()]
        assert {str(i) for i in range(8)} <= set(said)
        assert {report["task_run_id"] is None for report in lives.reports()} == {True, False}
        wait_until(lambda: dies.states() == {"CRASHED"}, 20)
    finally:
        server.stop()


def test_the_helper_ends_with_its_run(server, run_script):
    """No helper is left when the program ends, and short tasks are not reported."""
    done = run_script(
        "from prefectx import flow, task\n"
        "from prefectx.monitoring import keepalive\n"
        "@task(target=None)\n"
        "def short(): pass\n"
        "@flow\n"
        "def pipeline(): short()\n"
        "pipeline()\n"
        "[helper] = keepalive.HELPERS._by_api.values()\n"
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
        "from prefectx.monitoring import keepalive\n"
        "@task(target=None)\n"
        "def short(): pass\n"
        "@flow\n"
        "def pipeline(): short()\n"
        "pipeline()\n"
        "assert not keepalive.HELPERS\n",
        PREFECT_API_URL=server.url,
        PREFECTX_KEEPALIVE__INTERVAL="false",
    )
    assert done.returncode == 0, done.stderr

"""The helper process of keepalive, against an API that takes note of what it is sent."""

import json
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from prefectx.monitoring import keepalive
from prefectx.monitoring.keepalive import Api, Run, watching

TASK = Run("task", "task-id", "work-1", "flow-id")
FLOW = Run("flow", "flow-id", "swift-fox", "flow-id")


class Recorder:
    """An API that remembers requests and answers as Prefect's does."""

    def __init__(self) -> None:
        self.requests = []
        self.failures = 0
        self.token = None
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Keep quiet."""

            def answer(self):
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                status, content = recorder.take(self.path, body, dict(self.headers))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = answer  # http.server's names

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, body, headers):
        if path.startswith("/api/csrf-token"):
            self.token = "a-token"
            return 200, {"token": self.token}
        if (body is not None or path == "/api/health") and self.failures:
            self.failures -= 1
            return 503, {}
        if self.token != headers.get("Prefect-Csrf-Token") or self.token == "":
            return 403, {"detail": "Invalid CSRF token."}
        self.requests.append((path.removeprefix("/api"), body, headers))
        return 200, {"state": {"type": "RUNNING"}}

    def lines(self):
        return [line for path, body, _ in self.requests if path == "/logs/" for line in body]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def api():
    recorder = Recorder()
    yield recorder
    keepalive.HELPERS.reset()
    recorder.stop()


def wait_for(question, seconds=15):
    end = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_long_runs_are_reported(api):
    """A run that is not over says so at each interval, with the run's authentication."""
    with watching(TASK, Api(api.url, {"Authorization": "Bearer secret"}), 0.2):
        wait_for(lambda: len(api.lines()) >= 2)
    first = api.lines()[0]
    assert (first["task_run_id"], first["flow_run_id"]) == ("task-id", "flow-id")
    assert first["message"].startswith("Still running after")
    assert "MB" in first["message"]
    assert {headers["Authorization"] for _, _, headers in api.requests} == {"Bearer secret"}


def test_short_runs_are_not(api):
    """A run that ends before its interval is not mentioned."""
    with watching(TASK, Api(api.url, {}), 100):
        time.sleep(1.5)
    keepalive.HELPERS.reset()
    assert api.requests == []


def test_a_token_is_fetched_where_the_server_wants_one(api):
    """A server that protects changes by a token gets it."""
    api.token = ""
    with watching(TASK, Api(api.url, {}), 0.2):
        wait_for(api.lines)
    assert api.requests[0][2]["Prefect-Csrf-Token"] == "a-token"


def test_lines_of_an_outage_are_kept(api, capfd):
    """What cannot be sent is sent later; that the server was away is said, and that it is back."""
    api.failures = 1
    with watching(TASK, Api(api.url, {}), 0.2):
        wait_for(lambda: any("answers again" in line["message"] for line in api.lines()))
    messages = [line["message"] for line in api.lines()]
    assert messages[0].startswith("Still running")
    assert any("does not answer" in message for message in messages)
    assert "answers again" in capfd.readouterr().err


@pytest.mark.slow
def test_an_outage_is_seen_where_tasks_are_short(api, capfd):
    """The server is looked for also where nothing is to be sent; the flow says that it is away."""
    api.failures = 2
    with watching(FLOW, Api(api.url, {}), 100), watching(TASK, Api(api.url, {}), 100):
        wait_for(lambda: len(api.lines()) >= 2, 30)
    away, back = (line["message"] for line in api.lines())
    assert "does not answer" in away
    assert "answers again" in back
    assert {line["task_run_id"] for line in api.lines()} == {None}


PROGRAM = """
import os, sys
from prefectx.monitoring.keepalive import Api, Run, watching
api = Api(sys.argv[1], {}, outage=5.0)
task = Run("task", "task-id", "work-1", "flow-id", restarted=sys.argv[2] == "restarted")
flow = Run("flow", "flow-id", "swift-fox", "flow-id")
with watching(flow, api, 100), watching(task, api, 100):
    if sys.argv[2] == "leave":
        sys.exit()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(
    ("manner", "crashed"),
    [
        ("die", ["/task_runs/task-id/set_state", "/flow_runs/flow-id/set_state"]),
        ("restarted", ["/flow_runs/flow-id/set_state"]),
        ("leave", []),
    ],
)
def test_the_runs_of_a_dead_process_have_crashed(api, manner, crashed):
    """The runs of a process that dies are Crashed, but those that something starts again."""
    subprocess.run([sys.executable, "-c", PROGRAM, api.url, manner], check=False, timeout=60)
    if crashed:
        wait_for(lambda: api.requests and api.requests[-1][0] == crashed[-1])
    marked = [(path, body) for path, body, _ in api.requests if body]
    assert [path for path, _ in marked] == crashed
    assert {body["state"]["type"] for _, body in marked} <= {"CRASHED"}

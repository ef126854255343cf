"""Real servers for tests: on 127.0.0.1, on a free port, stopped by who started them."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

# Servers that this process has started, and that others may still use when it is through.
_children: dict[int, subprocess.Popen[bytes]] = {}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """Run a Prefect server with its database in `home`; yield the URL of its API."""
    url, server = _start_prefect(home)
    try:
        yield url
    finally:
        server.terminate()
        server.wait(timeout=60)


@contextmanager
def shared_prefect_server(home: Path) -> Iterator[str]:
    """Run one Prefect server for all processes of a test session; the last one stops it."""
    with _shared_state(home) as state:
        if not state.get("users"):
            url, server = _start_prefect(home)
            state |= {"url": url, "pid": server.pid, "users": 0}
            _children[server.pid] = server
        state["users"] += 1
        url = state["url"]
    try:
        yield url
    finally:
        with _shared_state(home) as state:
            state["users"] -= 1
            if not state["users"]:
                os.kill(state["pid"], signal.SIGTERM)
                if state["pid"] in _children:
                    _children.pop(state["pid"]).wait(timeout=60)


@contextmanager
def _shared_state(home: Path) -> Iterator[dict[str, Any]]:
    """Read what the processes have agreed on, and write it back, one process at a time."""
    with (home / "shared.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.truncate(0)
        file.write(json.dumps(state))


def _start_prefect(home: Path) -> tuple[str, subprocess.Popen[bytes]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_UI_ENABLED": "false",
        "PREFECT_API_URL": url,
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_prefect(url, server)
    except BaseException:
        server.kill()
        server.wait()
        raise
    return url, server


def wait_for_prefect(url: str, server: subprocess.Popen[bytes], within: float = 240) -> None:
    """Return when the API answers; fail when the server ends or the time is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server ended with {server.returncode}"
        try:
            if httpx.get(f"{url}/health", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"no answer from {url} within {within} seconds")


def drain_prefect() -> None:
    """Send what Prefect's threads still hold: without its server they would retry for minutes."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (EventsWorker, APILogWorker):
        worker.drain_all(timeout=10)

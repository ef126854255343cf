"""A Prefect server and a Dask cluster for the session, started by hand in folders of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import distributed
import httpx
import pytest
from prefect.settings import temporary_settings

from prefectx import settings
from tests.servers import free_port, prefect_server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here; Prefect and Dask leave loops and sockets to the garbage collector."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.dask)
            for ignored in (
                "ignore::ResourceWarning",
                "ignore::pytest.PytestUnraisableExceptionWarning",
                "ignore:Port 8787 is already in use:UserWarning",
            ):
                item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture(scope="session")
def api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Prefect server."""
    home = tmp_path_factory.mktemp("prefect")
    with prefect_server(home) as url, temporary_settings({"home": home, "api.url": url}):
        yield url
        _send_what_is_left()


def _send_what_is_left() -> None:
    # Prefect's background threads would wait long for a server that is gone.
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=10)
    EventsWorker.drain_all(timeout=10)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, which are configured for something else."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "prefectx.toml").write_text("mode = 'nonsense'\nnot_a_key = 1\n")
    with dask_cluster(folder, workers=["one", "two"]) as found:
        yield found


@contextmanager
def dask_cluster(
    folder: Path, workers: Sequence[str], security: distributed.Security | None = None
) -> Iterator[str]:
    """Run `dask scheduler` and `dask worker` in a folder, with an environment of their own.

    Parameters:
        folder: where they run.
        workers: the names of the workers.
        security: the TLS files, where they are to talk to no one without.
    """
    address = f"{'tls' if security else 'tcp'}://127.0.0.1:{free_port()}"
    host, _, port = address.rpartition(":")
    common = ["--no-dashboard", *_tls(security)]
    worker = ["worker", address, "--nthreads", "1", "--memory-limit", "1GB", *common]
    with ExitStack() as stack:
        scheduler = ["scheduler", "--host", host, "--port", port, *common]
        stack.enter_context(_running(scheduler, folder))
        for name in workers:
            stack.enter_context(_running([*worker, "--name", name], folder))
        with distributed.Client(
            address, set_as_default=False, timeout=60, security=security
        ) as client:
            client.wait_for_workers(len(workers), timeout=60)
        yield address


def _tls(security: distributed.Security | None) -> list[str]:
    if security is None:
        return []
    files = {
        "--tls-ca-file": security.tls_ca_file,
        "--tls-cert": security.tls_client_cert,
        "--tls-key": security.tls_client_key,
    }
    return [argument for file in files.items() for argument in map(str, file)]


@contextmanager
def _running(arguments: list[str], folder: Path) -> Iterator[None]:
    own = ("PREFECT", "PYTHONPATH")
    others = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environment = others | {"HOME": str(folder), "PREFECTX": "function", "PREFECTX_SAVE": "false"}
    with (folder / "dask.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def on_dask(api_url: str, address: str, tmp_path: Path) -> Iterator[settings.Settings]:
    """Flows run on the session's cluster, and keep their outputs in the test's folder."""
    dask = {"address": address}
    with settings.override(root=tmp_path, runner={"type": "dask"}, dask=dask) as chosen:
        yield chosen


@pytest.fixture
def on_local_cluster(api_url: str, tmp_path: Path) -> Iterator[settings.Settings]:
    """Flows run on a cluster of their own with two small workers."""
    dask = {"workers": 2, "memory_limit": "600MB"}
    with settings.override(root=tmp_path, runner={"type": "dask"}, dask=dask) as chosen:
        yield chosen


@pytest.fixture
def task_runs(api_url: str) -> Any:
    """Read the task runs of a flow run from the API, once as many as expected are final."""

    def read(flow_name: str, count: int, within: float = 30) -> dict[str, dict[str, Any]]:
        asked = {"flows": {"name": {"any_": [flow_name]}}}
        deadline = time.monotonic() + within
        while True:
            answer = httpx.post(f"{api_url}/task_runs/filter", json=asked, timeout=30)
            runs = {run["name"]: run for run in answer.raise_for_status().json()}
            over = [run for run in runs.values() if run["state_type"] not in ("RUNNING", "PENDING")]
            if len(over) >= count or time.monotonic() > deadline:
                return runs
            time.sleep(0.3)

    return read


@pytest.fixture
def flow_state(api_url: str) -> Any:
    """Read from the API how the one run of a flow has ended."""

    def read(flow_name: str) -> str:
        asked = {"flows": {"name": {"any_": [flow_name]}}}
        answer = httpx.post(f"{api_url}/flow_runs/filter", json=asked, timeout=30)
        (run,) = answer.raise_for_status().json()
        return run["state_type"]

    return read


@pytest.fixture
def logged(api_url: str) -> Any:
    """Wait for a line in the log of a task run, and return it."""

    def find(task_run: str, text: str, within: float = 40) -> str:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            asked = {"task_runs": {"name": {"any_": [task_run]}}}
            runs = httpx.post(f"{api_url}/task_runs/filter", json=asked, timeout=30).json()
            asked = {"logs": {"task_run_id": {"any_": [run["id"] for run in runs]}}}
            lines = (
                httpx.post(f"{api_url}/logs/filter", json=asked, timeout=30).json() if runs else []
            )
            for line in lines:
                if text in line["message"]:
                    return line["message"]
            time.sleep(0.3)
        raise AssertionError(f"{text!r} was not logged for {task_run!r}")

    return find

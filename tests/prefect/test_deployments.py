"""Flows that Prefect starts, in processes of their own: served ones and deployed ones."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments import run_deployment

from tests.prefect.conftest import server_environment, using_api, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def running(real_server, tmp_path, prefect_home):
    """Run a Python program as long as a block goes on; its output is in a file."""

    @contextmanager
    def run(*arguments: str):
        known = {"PREFECT_API_URL": real_server.url, "PYTHONPATH": str(tmp_path)}
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env=server_environment(prefect_home) | known,
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )
        try:
            with using_api(real_server.url):
                yield tmp_path / "log"
        finally:
            process.terminate()
            process.wait(60)

    return run


def check(run, server, folder: Path, log: Path) -> None:
    """The run is Completed, was counted and summed up, and its outputs are there."""
    assert run.state.is_completed(), log.read_text()
    tables = server.read("artifacts", artifacts={"flow_run_id": {"any_": [str(run.id)]}})
    assert [table["key"] for table in tables if table["type"] == "table"], log.read_text()
    assert (folder / "out/1.json").exists()


def test_served_flow(real_server, module, tmp_path, running):
    """A served flow runs in a process of Prefect's runner."""
    name = f"served-{uuid4().hex}"
    (tmp_path / "serve.py").write_text(
        f"from {module.__name__} import pipeline\n"
        "if __name__ == '__main__':\n"
        f"    pipeline.serve(name='{name}')\n"
    )
    with running("serve.py") as log:
        this = {"deployments": {"name": {"any_": [name]}}}
        wait_until(lambda: real_server.read("deployments", **this), 120)
        run = run_deployment(f"pipeline/{name}", timeout=120, poll_interval=1)
    check(run, real_server, tmp_path, log)


def test_deployed_flow(real_server, module, tmp_path, running):
    """A flow that is deployed to a work pool of processes is run by a worker of Prefect."""
    name = f"deployed-{uuid4().hex}"
    with using_api(real_server.url), get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=name, type="process"))
        found = module.pipeline.from_source(str(tmp_path), f"{module.__name__}.py:pipeline")
        found.deploy(name=name, work_pool_name=name, print_next_steps=False)
    with running("-m", "prefect", "worker", "start", "--pool", name, "--type", "process") as log:
        run = run_deployment(f"pipeline/{name}", timeout=150, poll_interval=1)
    check(run, real_server, tmp_path, log)

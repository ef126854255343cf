"""Flows that Prefect's runner starts, in processes of their own."""

import subprocess
import sys

import pytest

from tests.prefect.conftest import server_environment, using_api, wait_until


@pytest.mark.slow
def test_served_flow(real_server, module, tmp_path, prefect_home):
    """A served flow runs in a process of Prefect's runner, and is counted and summed up there."""
    from prefect.deployments import run_deployment

    (tmp_path / "serve.py").write_text(
        f"from {module.__name__} import pipeline\n"
        "if __name__ == '__main__':\n"
        "    pipeline.serve(name='served')\n"
    )
    with (tmp_path / "serve.log").open("w") as log, using_api(real_server.url):
        process = subprocess.Popen(
            [sys.executable, "serve.py"],
            env={
                **server_environment(prefect_home),
                "PREFECT_API_URL": real_server.url,
                "PYTHONPATH": str(tmp_path),
            },
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: real_server.read("deployments"))
            run = run_deployment("pipeline/served", timeout=120, poll_interval=1)
        finally:
            process.terminate()
            process.wait(30)
    said = (tmp_path / "serve.log").read_text()
    assert run.state.is_completed(), said
    tables = real_server.read("artifacts", artifacts={"flow_run_id": {"any_": [str(run.id)]}})
    assert [table["key"] for table in tables if table["type"] == "table"], said
    assert (tmp_path / "out/1.json").exists()

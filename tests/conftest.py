"""What all tests share."""

import os
from pathlib import Path
from textwrap import dedent

import hypothesis
import pytest

from prefectx import settings, testing
from tests.servers import drain_prefect, shared_prefect_server

# CI tries the same examples each time; who runs the tests by hand finds others.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Each test starts in an empty folder, without variables of prefectx, and leaves no state."""
    for name in os.environ:
        if name.startswith("PREFECTX"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings.reset()
    yield
    testing.reset()


@pytest.fixture
def configure(tmp_path: Path):
    """Write prefectx.toml (or another file) into the working directory and read the settings."""

    def write(text: str = "", name: str = "prefectx.toml") -> settings.Settings:
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")
        settings.reset()
        return settings.current()

    return write


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory, worker_id: str):
    """A real Prefect server for the session, all of its processes; gives the URL of its API."""
    base = tmp_path_factory.getbasetemp()
    home = (base if worker_id == "master" else base.parent) / "prefect-server"
    home.mkdir(exist_ok=True)
    with shared_prefect_server(home) as url:
        yield url
        drain_prefect()


@pytest.fixture
def on_prefect(prefect_api: str):
    """Let the runs of a test talk to the session's server; gives the URL of its API."""
    from prefect.settings import temporary_settings

    with temporary_settings({"api.url": prefect_api}):
        yield prefect_api

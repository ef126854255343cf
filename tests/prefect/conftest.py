"""One Prefect server for the session, real or embedded, and what tests ask it."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from prefectx import settings
from tests.servers import free_port, wait_for_prefect

MODES = ("prefect", "prefect.cachetask", "prefect.skiptask")
CACHING = MODES[1:]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here; Prefect's own loops and sockets are closed by the garbage collector."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.prefect)
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            unraisable = "ignore::pytest.PytestUnraisableExceptionWarning"
            item.add_marker(pytest.mark.filterwarnings(unraisable))
            outside = "ignore:Logger 'prefect:UserWarning"
            item.add_marker(pytest.mark.filterwarnings(outside))


def server_environment(home: Path) -> dict[str, str]:
    """Return the environment of a server that keeps all it has in `home`."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "PREFECTX"))}
    return {
        **others,
        "HOME": str(home),
        "PREFECT_HOME": str(home / ".prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def wait_until(question: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until the answer is true; return it."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.3)
    return answer


class Api:
    """What tests ask a server."""

    def __init__(self, url: str, auth: str | None = None) -> None:
        self.url = url
        self.auth = tuple(auth.split(":")) if auth else None

    def read(self, kind: str, **filters: Any) -> Any:
        """Return the runs, logs or artifacts that the API has, by its filters."""
        answer = httpx.post(f"{self.url}/{kind}/filter", json=filters, auth=self.auth, timeout=30)
        return answer.raise_for_status().json()


class Server(Api):
    """A `prefect server start` of its own, on the loopback interface."""

    def __init__(self, home: Path, auth: str | None = None) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}/api", auth)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui"]
        secret = {"PREFECT_SERVER_API_AUTH_STRING": ":".join(self.auth)} if self.auth else {}
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port)],
                env=server_environment(self.home) | secret,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for_prefect(self.url, self.process)

    def stop(self) -> None:
        if self.process is not None:
            # The server runs in a child of the command: the whole session of processes ends.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None


@pytest.fixture(scope="session")
def prefect_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="prefectx-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def real_server(prefect_api: str) -> Api:
    """The session's server."""
    return Api(prefect_api)


@pytest.fixture(scope="session", autouse=True)
def private_home(prefect_home: Path) -> Iterator[None]:
    """Prefect keeps what it writes in the session's folder, here and in child processes."""
    from prefect.settings import temporary_settings

    changes = {"home": prefect_home / ".prefect"}
    with pytest.MonkeyPatch.context() as environment, temporary_settings(changes):
        for name, value in server_environment(prefect_home).items():
            if name != "HOME":
                environment.setenv(name, value)
        yield


@contextmanager
def using_api(url: str) -> Iterator[None]:
    """Choose the API as a user does, by the environment's setting."""
    from prefect.settings import temporary_settings

    with temporary_settings({"api.url": url}):
        yield


@pytest.fixture(params=["real", pytest.param("embedded", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The real server, chosen by the user; with `-m "prefect and slow"` the embedded one."""
    if request.param == "embedded":
        from prefect.settings import get_current_settings

        from prefectx.engines.prefect.api import prefect_api

        with prefect_api(settings.current().project):
            api = Api(get_current_settings().api.url)
        yield api
        return
    real = request.getfixturevalue("real_server")
    monkeypatch.setenv("PREFECT_API_URL", real.url)
    with using_api(real.url):
        yield real


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each of the three Prefect modes, its outputs in the test's folder."""
    with settings.override(mode=request.param, root=tmp_path):
        yield request.param


@pytest.fixture(params=CACHING)
def caching(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each of the two Prefect modes that keep outputs."""
    with settings.override(mode=request.param, root=tmp_path):
        yield request.param


@pytest.fixture
def run_script(tmp_path: Path, prefect_home: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run a program in the test's folder, with Prefect's home in the session's folder."""

    def run(text: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess:
        script = tmp_path / "script.py"
        script.write_text(text)
        return subprocess.run(
            [sys.executable, str(script)],
            env={**server_environment(prefect_home), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


MODULE = """
    import time
    from prefectx import flow, load, task

    @task(target="out/{x}.json")
    def double(x):
        return 2 * x

    @task(target="out/async-{x}.json")
    async def triple(x):
        return 3 * x

    @flow
    def pipeline(n: int = 2):
        return sum(load([double.submit(x) for x in range(n)]))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A user's module, in a folder of its own on the path."""
    name = f"users_module_{time.monotonic_ns()}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield importlib.import_module(name)
    del sys.modules[name]

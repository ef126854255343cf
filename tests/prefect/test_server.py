"""Which server a run talks to, and what happens where there is none."""

import os
import socket
import time

import pytest

import prefectx
from prefectx import flow
from prefectx.errors import ServerError
from tests.prefect.conftest import using_api
from tests.servers import free_port


@flow
def pipeline():
    return "done"


def test_a_dead_url_is_an_error_within_seconds():
    """An API that the user chose and that is not there is named, at once."""
    url = f"http://127.0.0.1:{free_port()}/api"
    began = time.monotonic()
    with using_api(url), pytest.raises(ServerError, match=url):
        pipeline()
    assert time.monotonic() - began < 10


def test_a_silent_port_is_an_error_within_seconds():
    """So is a port that accepts and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        began = time.monotonic()
        with using_api(url), pytest.raises(ServerError, match=url):
            pipeline()
    assert time.monotonic() - began < 25


def test_a_configured_url_that_is_dead_is_an_error():
    """An `api_url` of the configuration counts as chosen."""
    url = f"http://127.0.0.1:{free_port()}/api"
    with prefectx.override(api_url=url), pytest.raises(ServerError, match="api_url"):
        pipeline()


def test_a_configured_url_is_used(real_server):
    """The server of the configuration runs the flow, where the user has not chosen another."""
    with prefectx.override(api_url=real_server.url):
        assert pipeline.with_options(name="on-this-server")() == "done"
    assert len(real_server.read("flow_runs", flows={"name": {"any_": ["on-this-server"]}})) == 1


@pytest.mark.slow
def test_one_embedded_server_for_a_program(run_script):
    """A program starts one server, its pool's processes use it, and it ends with the program."""
    done = run_script(
        """
from prefect.settings import get_current_settings
from prefectx import flow, task
from prefectx.engines.prefect import api

@task(target=None)
def where(x):
    return get_current_settings().api.url

@flow
def pipeline():
    return set(where.map([1, 2, 3]).result())

if __name__ == "__main__":
    first, second = pipeline(), pipeline()
    assert first == second == {api.SERVERS.embedded.api_url}, (first, second)
    print(api.SERVERS.embedded.server_process.pid)
""",
        timeout=300,
        PREFECTX_RUNNER__TYPE="processes",
        PREFECTX_RUNNER__MAX_WORKERS="2",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("starting an embedded one") == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)

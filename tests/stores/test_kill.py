"""`kill -9` at any moment damages no output and loses none that a save had returned for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prefectx.stores import Filestore, SqlStore
from tests.stores import storm


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "kills"), [("files", 500), ("sqlite", 100), ("postgres", 50)])
def test_killed_at_random_moments(tmp_path, request, kind, kills):
    """Eight processes save and load a hundred targets and are killed, one after the other."""
    root = {"files": f"{tmp_path}/out", "sqlite": f"sqlite:///{tmp_path}/results.db"}.get(kind)
    root = root or request.getfixturevalue("postgres")
    reports = [tmp_path / f"report{number}" for number in range(storm.PROCESSES)]
    command = [sys.executable, "-m", "tests.stores.storm", root, str(kills), *map(str, reports)]
    done = subprocess.run(
        command, cwd=request.config.rootpath, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    saved = {int(line) for report in reports for line in report.read_text().split()}
    assert len(saved) > storm.TARGETS / 2, "too little was saved for a test"
    store = Filestore() if kind == "files" else SqlStore(root)
    for number in saved:
        storm.check(store, storm.place_of(store, root, number))


def test_the_next_save_removes_what_the_killed_left(tmp_path):
    """Leftovers of killed processes go away with the first save of another process."""
    code = """
import os, sys
from prefectx.stores import Filestore
class Killing:
    def __reduce__(self):
        os.kill(os.getpid(), 9)
Filestore().save(sys.argv[1], [b"x" * 100_000, Killing()])
"""
    location = str(tmp_path / "a")
    subprocess.run([sys.executable, "-c", code, location], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    code = (
        "import sys; from prefectx.stores.files import Filestore; Filestore().save(sys.argv[1], 1)"
    )
    subprocess.run([sys.executable, "-c", code, location], check=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]

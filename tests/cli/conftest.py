"""A project in a folder, and the commands as a user runs them there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.records import project


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Folder:
    """A project, with commands run in processes of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def prefectx(self, *arguments: str, **variables: str) -> Said:
        environment = {
            "PREFECTX": "cache",
            **os.environ,
            "PYTHONPATH": str(project.PACKAGE),
            "RAN": str(self.path / "ran.log"),
            "COLUMNS": "120",
        }
        said = subprocess.run(
            [sys.executable, "-c", "from prefectx.cli import main; main()", *arguments],
            cwd=self.path,
            env=environment | variables,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        return Said(said.returncode, said.stdout, said.stderr)

    def replace(self, name: str, old: str, new: str) -> None:
        project.replace(self.path, name, old, new)

    def ran(self) -> list[str]:
        log = self.path / "ran.log"
        found = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted(found)


@pytest.fixture
def folder(tmp_path) -> Folder:
    """The project of the records' tests."""
    project.write(tmp_path)
    return Folder(tmp_path)

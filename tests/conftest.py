"""What all tests share."""

import os
from pathlib import Path

import pytest

from prefectx import settings


@pytest.fixture(autouse=True)
def settings_reset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Each test starts in an empty folder, without variables of prefectx, with nothing read."""
    for name in os.environ:
        if name.startswith("PREFECTX"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings.reset()
    yield
    settings.reset()

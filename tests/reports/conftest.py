"""A real browser, if the machine has one."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; without one the tests that need it are skipped."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium: install it, or name its program by CHROMIUM")
    with sync_api.sync_playwright() as play:
        # A sandbox needs rights that containers do not give.
        found = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()

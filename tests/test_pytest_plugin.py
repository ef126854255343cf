"""The pytest plugin: other settings for one test, nothing left behind, also with xdist."""

import os
import subprocess
import sys

import pytest

from prefectx import settings

# Only these: others that happen to be installed take seconds to load.
PLUGINS = ["-p", "prefectx.pytest_plugin", "-p", "xdist"]

MODULE = """
import pytest
from prefectx import settings


def mode():
    return settings.current().project.mode


def test_fixture(prefectx_settings, tmp_path):
    assert mode() == "cache"
    assert settings.current().project.root == str(tmp_path)
    prefectx_settings(mode="function", context={"year": 2024})
    assert (mode(), settings.current().options("x").context) == ("function", {"year": 2024})


def test_nothing_is_left_behind():
    assert mode() == "prefect.cachetask"


@pytest.mark.prefectx(mode="prefect", tasks={"clean": {"refresh": True}})
def test_marker():
    assert mode() == "prefect"
    assert settings.current().options("clean").refresh


@pytest.mark.prefectx(mode="prefect")
class TestClass:
    @pytest.mark.prefectx(refresh=True)
    def test_markers_add_up(self):
        assert (mode(), settings.current().project.refresh) == ("prefect", True)


def test_a_failure_leaves_nothing_behind_either(prefectx_settings):
    with pytest.raises(ZeroDivisionError):
        prefectx_settings(mode="function")
        1 / 0


@pytest.mark.parametrize("n", range(20))
def test_many(n, prefectx_settings, tmp_path):
    prefectx_settings(context={"n": n})
    assert settings.current().project.context == {"n": n}
    assert settings.current().project.root == str(tmp_path)
"""


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_the_fixture_and_the_marker(processes, tmp_path):
    (tmp_path / "test_it.py").write_text(MODULE)
    (tmp_path / "prefectx.toml").write_text('mode = "prefect.cachetask"')
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *PLUGINS, *processes],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "25 passed" in done.stdout, done.stdout


def test_loading_the_plugin_loads_nothing_else():
    code = "import sys, prefectx.pytest_plugin; print('prefectx.settings' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_fixture_here(prefectx_settings):
    prefectx_settings(mode="function")
    assert settings.current().project.mode == "function"


INFECTED = """
import pytest
from prefectx import settings


def project():
    return settings.current().project


def test_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PREFECTX", "cache")
    monkeypatch.setenv("PREFECTX_CONTEXT__YEAR", "2024")
    monkeypatch.chdir(tmp_path)
    assert (project().mode, project().root) == ("cache", str(tmp_path))
    assert project().context == {"year": "2024"}


def test_another(tmp_path):
    assert (project().mode, project().context) == ("prefect.skiptask", {})
    assert project().root != str(tmp_path)


@pytest.mark.prefectx("function")
def test_marker_without_a_keyword():
    pass
"""


def run(module, folder):
    (folder / "test_it.py").write_text(module)
    hidden = {name: text for name, text in os.environ.items() if not name.startswith("PREFECTX")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *PLUGINS],
        cwd=folder,
        env={**hidden, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    ).stdout


def test_tests_do_not_infect_each_other(tmp_path):
    """Variables and the working directory of a test end with it."""
    assert "2 passed" in run(INFECTED, tmp_path)


def test_a_marker_without_a_keyword_says_what_is_meant(tmp_path):
    said = run(INFECTED, tmp_path)
    assert "1 error" in said
    assert "such as @pytest.mark.prefectx(mode='function')" in said

"""The pytest plugin: settings for a test, which end with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from prefectx.settings import Settings


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "prefectx(mode='cache', root=tmp_path, **settings): run the test under these settings",
    )


@pytest.fixture
def prefectx_settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Settings]]:
    """Run a test in mode `cache` with its outputs under `tmp_path`; call it to change settings.

    The marker `@pytest.mark.prefectx(...)` changes settings as well; a call of the fixture outranks
    it. All of it ends with the test:

        def test_pipeline(prefectx_settings):
            prefectx_settings(mode="function", context={"year": 2024})
            assert pipeline() == 42

    Returns:
        A function that takes the settings of `prefectx.override`, and returns them.
    """
    # Imported late: pytest loads this module in every project of the environment.
    from prefectx import settings

    with ExitStack() as stack:

        def change(**values: object) -> Settings:
            return stack.enter_context(settings.override(**values))

        change(mode="cache", root=tmp_path)
        for marker in reversed(list(request.node.iter_markers("prefectx"))):
            if marker.args:
                given = ", ".join(map(repr, marker.args))
                raise pytest.UsageError(
                    f"@pytest.mark.prefectx({given}) takes keywords, such as "
                    f"@pytest.mark.prefectx(mode={marker.args[0]!r})"
                )
            change(**marker.kwargs)
        yield change


@pytest.fixture(autouse=True)
def _prefectx_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Read the settings anew for each test, and apply the marker.

    What another test has set, its variables and its working directory, is not this one's.
    """
    _read_settings_anew()
    if request.node.get_closest_marker("prefectx"):
        request.getfixturevalue("prefectx_settings")
    yield
    _read_settings_anew()


def _read_settings_anew() -> None:
    settings = sys.modules.get("prefectx.settings")
    if settings is not None:
        settings.reset()

"""The pytest plugin: other settings for a test, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from prefectx.settings import Settings


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known to pytest."""
    config.addinivalue_line(
        "markers",
        "prefectx(mode='cache', root=tmp_path, **settings): run the test under these settings",
    )


@pytest.fixture
def prefectx_settings(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Settings]]:
    """Run a test in mode `cache` with its outputs under `tmp_path`; call it for other settings.

    The values of `@pytest.mark.prefectx(...)` come first, what the fixture is called with comes
    last, and all of it ends with the test:

        def test_pipeline(prefectx_settings):
            prefectx_settings(mode="function", context={"year": 2024})
            assert pipeline() == 42

    Returns:
        `prefectx.override` without the `with`: a function of settings.
    """
    # Imported late: pytest loads this module in every project that prefectx is installed for.
    from prefectx import settings

    with ExitStack() as stack:

        def change(**values: Any) -> Settings:
            return stack.enter_context(settings.override(**values))

        change(mode="cache", root=tmp_path)
        for marker in reversed(list(request.node.iter_markers("prefectx"))):
            change(**marker.kwargs)
        yield change
    settings.reset()


@pytest.fixture(autouse=True)
def _prefectx_marker(request: pytest.FixtureRequest) -> None:
    """Let the marker do without naming the fixture."""
    if request.node.get_closest_marker("prefectx"):
        request.getfixturevalue("prefectx_settings")

"""Writing configuration files and reading them back."""

from pathlib import Path
from textwrap import dedent

import pytest

from prefectx import settings
from prefectx.errors import ConfigError


@pytest.fixture
def configure(tmp_path: Path):
    """Write prefectx.toml (or another file) into the working directory and read the settings."""

    def write(text: str = "", name: str = "prefectx.toml") -> settings.Settings:
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")
        settings.reset()
        return settings.current()

    return write


@pytest.fixture
def mistakes(configure):
    """Write a faulty prefectx.toml and return what is said about it, line by line."""

    def write(text: str = "", name: str = "prefectx.toml") -> list[str]:
        with pytest.raises(ConfigError) as caught:
            configure(text, name)
        return [str(problem) for problem in caught.value.problems]

    return write

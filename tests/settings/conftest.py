"""Writing configuration files and reading them back."""

import pytest

from prefectx.errors import ConfigError


@pytest.fixture
def mistakes(configure):
    """Write a faulty prefectx.toml and return what is said about it, line by line."""

    def write(text: str = "", name: str = "prefectx.toml") -> list[str]:
        with pytest.raises(ConfigError) as caught:
            configure(text, name)
        return [str(problem) for problem in caught.value.problems]

    return write

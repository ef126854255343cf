"""The table of modes: what `@task` and `@flow` do."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from prefectx.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode.

    Attributes:
        name: as `PREFECTX` and `mode` spell it.
        engine: the module that runs calls and flows.
        keeps: whether outputs are kept and calls return items.
        skips: whether a finished call goes past the engine.
    """

    name: str
    engine: str
    keeps: bool
    skips: bool

    @property
    def is_prefect(self) -> bool:
        """Whether Prefect runs the calls."""
        return self.engine == PREFECT


INLINE = "prefectx.engines.local"
PREFECT = "prefectx.engines.prefect"

MODES = {
    mode.name: mode
    for mode in (
        Mode("function", INLINE, keeps=False, skips=False),
        Mode("cache", INLINE, keeps=True, skips=True),
        Mode("prefect", PREFECT, keeps=False, skips=False),
        Mode("prefect.cachetask", PREFECT, keeps=True, skips=False),
        Mode("prefect.skiptask", PREFECT, keeps=True, skips=True),
    )
}


def get_mode(name: str) -> Mode:
    """Return the mode of a name.

    Raises:
        ConfigError: if the name is unknown; lists the known ones.
    """
    try:
        return MODES[name]
    except KeyError:
        raise ConfigError(f"unknown mode {name!r}; the modes are {', '.join(MODES)}") from None


def load_engine(mode: Mode) -> Any:
    """Import the engine of a mode, at its first use."""
    return importlib.import_module(mode.engine)

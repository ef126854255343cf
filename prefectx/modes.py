"""The table of modes: what `@task` and `@flow` do."""

from __future__ import annotations

from dataclasses import dataclass, replace

from prefectx.errors import ConfigError
from prefectx.planned_outputs import PLANNED

LOCAL = "prefectx.engines.local"
PREFECT = "prefectx.engines.prefect"
PLANNING = "prefectx.plans.engine"


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode.

    Attributes:
        name: as `PREFECTX` and `mode` spell it.
        engine: the module whose `ENGINE` runs calls and flows.
        keeps: whether outputs are kept and calls return items.
        skips: whether a finished call never reaches the engine.
    """

    name: str
    engine: str
    keeps: bool
    skips: bool

    @property
    def is_prefect(self) -> bool:
        """Whether Prefect runs the calls."""
        return self.engine == PREFECT


MODES = {
    mode.name: mode
    for mode in (
        Mode("function", LOCAL, keeps=False, skips=False),
        Mode("cache", LOCAL, keeps=True, skips=True),
        Mode("prefect", PREFECT, keeps=False, skips=False),
        Mode("prefect.cachetask", PREFECT, keeps=True, skips=False),
        Mode("prefect.skiptask", PREFECT, keeps=True, skips=True),
    )
}


def get_mode(name: str) -> Mode:
    """Return the mode with this name; while a plan is made, with the engine that runs nothing.

    Raises:
        ConfigError: if there is none; it lists the modes.
    """
    try:
        mode = MODES[name]
    except KeyError:
        raise ConfigError(f"unknown mode {name!r}; the modes are {', '.join(MODES)}") from None
    plan = PLANNED.here.get() or PLANNED.everywhere  # whichever thread makes it
    if plan is None:
        return mode
    return replace(mode, engine=PLANNING, skips=mode.skips and not plan.sees_all)

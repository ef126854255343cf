"""The goals, each as a ratio within one run, so that they hold on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from benchmarks.contenders import FLOOR
from benchmarks.harness import Result
from benchmarks.prefect_names import CACHED, STOCK
from benchmarks.programs import SETTINGS
from benchmarks.runners import POOLS
from benchmarks.running import BARE, SAVED

_SKIPPING = [f"prefectx {m}, {how}" for m in ("cache", "prefect.skiptask")
             for how in ("called", "submitted")]  # fmt: skip
_MAPPED = [f"prefectx {mode}, mapped" for mode in ("cache", "prefect.skiptask")]


def _recorded(stale: str) -> list[str]:
    return [f"prefectx cache, records, {stale}, {how}" for how in ("called", "submitted")]


class Goal(NamedTuple):
    """An upper limit for a figure."""

    what: str
    limit: float
    unit: str
    measured: Callable[[Figures], float]


@dataclass(frozen=True)
class Figures:
    """The measured figures.

    Attributes:
        sections: the results by the title of their section.
        memory: bytes per finished call by contender.
        payloads: seconds and megabytes, saving and loading, by contender.
    """

    sections: dict[str, list[Result]]
    memory: dict[str, float]
    payloads: dict[str, list[float]] = field(default_factory=dict)

    def get(self, section: str, name: str, count: int | None = None) -> Result:
        """Return the results of a contender; KeyError if it was not measured."""
        for result in self.sections.get(section, ()):
            if result.name == name and count in (None, result.count):
                return result
        raise KeyError(name)

    def ratio(self, section: str, name: str, floor: str, count: int | None = None) -> float:
        """Return the median ratio of one contender to another of the same section."""
        return self.get(section, name, count).ratio(self.get(section, floor, count))

    def worst(self, section: str, names: list[str], floor: str, count: int | None = None) -> float:
        """Return the largest of the ratios of several contenders to another."""
        return max(self.ratio(section, name, floor, count) for name in names)


FINISHED, RUNNING, PREFECT = "A finished call", "A call that runs", "On Prefect, real server"
IMPORTS, SIDE_BY_SIDE = "Imports", "Side by side, two workers"


def _over_bare(figures: Figures) -> float:
    # A small difference: the smallest samples are the least disturbed.
    called = figures.get(RUNNING, "prefectx function, called")
    return min(called.cpu) - min(figures.get(RUNNING, BARE).cpu)


def _over_pool(runner: str, pool: str, figures: Figures) -> float:
    bare = f"{pool}, atomic pickle save"
    ours = figures.get(SIDE_BY_SIDE, f"prefectx cache, {runner}")
    return ours.ratio(figures.get(SIDE_BY_SIDE, bare), "wall")  # most of it is in the workers


def _growth(figures: Figures) -> float:
    def times_stat(name: str, count: int) -> float:
        return figures.ratio(FINISHED, name, FLOOR, count)

    largest = max(result.count for result in figures.sections[FINISHED])
    return max(times_stat(name, largest) / times_stat(name, 100) for name in _SKIPPING)


GOALS = (
    Goal("finished call, called or submitted, against `os.stat`", 4, "x",
         lambda f: f.worst(FINISHED, _SKIPPING, FLOOR, 1000)),
    Goal("the same with records, `stale` as by default", 4, "x",
         lambda f: f.worst(FINISHED, _recorded("warn"), FLOOR, 1000)),
    Goal('the same with records, `stale = "rerun"`', 6, "x",
         lambda f: f.worst(FINISHED, _recorded("rerun"), FLOOR, 1000)),
    Goal("the same without records against a hit of joblib.Memory", 1 / 20, "x",
         lambda f: f.worst(FINISHED, _SKIPPING, "joblib.Memory", 1000)),
    Goal("the same against Prefect's own cached submit", 1 / 500, "x",
         lambda f: f.ratio(PREFECT, "prefectx prefect.skiptask, submitted", CACHED)),
    Goal("finished calls, mapped, 10,000 in one folder, against `os.stat`", 1.5, "x",
         lambda f: f.worst(FINISHED, _MAPPED, FLOOR, 10_000)),
    Goal("finished call in the largest number against 100, both against `os.stat`", 1.2, "x",
         _growth),
    Goal("memory held per finished call", 500, "bytes", lambda f: max(f.memory.values())),
    Goal("`function` mode, over the bare function", 0.3, "us", _over_bare),
    Goal("a call that runs in `cache` mode, against the function with an atomic save", 2, "x",
         lambda f: f.ratio(RUNNING, "prefectx cache", SAVED)),
    Goal("the same, both brought to the disk with fsync", 2, "x",
         lambda f: f.ratio(RUNNING, "prefectx cache, fsync", f"{SAVED}, fsync")),
    *(
        Goal(f"calls on `{runner}` in `cache` mode, against {pool} with an atomic save", limit, "x",
             partial(_over_pool, runner, pool))
        for (runner, pool), limit in zip(POOLS.items(), (2, 1.5, 1.3), strict=True)
    ),
    Goal("a run on Prefect threads, mode `prefect`, against stock", 1.05, "x",
         lambda f: f.ratio(PREFECT, "prefectx prefect, a run", STOCK)),
    Goal("the same, mode `prefect.skiptask`, which saves", 1.05, "x",
         lambda f: f.ratio(PREFECT, "prefectx prefect.skiptask, a run", STOCK)),
    Goal("`import prefectx` and a task in `cache` mode, against pydantic-settings", 1.5, "x",
         lambda f: f.ratio(IMPORTS, "prefectx cache, a task", SETTINGS)),
)  # fmt: skip


def judged(figures: Figures) -> Iterator[tuple[Goal, float]]:
    """Yield the goals that were measured, each with its figure."""
    for goal in GOALS:
        try:
            yield goal, goal.measured(figures)
        except KeyError:
            continue


def verdict(goal: Goal, value: float) -> str:
    """Return "met", or how far the figure is from the goal."""
    return "met" if value <= goal.limit else f"missed: {value / goal.limit:.1f} x the goal"

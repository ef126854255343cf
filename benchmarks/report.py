"""The figures as a page (markdown) and a picture."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.goals import FINISHED, Figures, judged, verdict
from benchmarks.harness import Result

_PEERS = ("joblib", "diskcache", "cachier", "luigi", "sf-hamilton", "prefect", "pydantic-settings")


def page(figures: Figures) -> str:
    """Return the tables."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"{machine()}. Made by `make bench`.",
            "",
            "Processor time of the calling process in microseconds a call: the median of the",
            "rounds and, in brackets, the smallest and the largest. The contenders of a table",
            "took turns; ratios are medians of the ratios within a round, to the first line of",
            "the same number of calls. Time on the wall includes what a call waits for, and here",
            "what other programs took.",
            "",
            *goals_table(figures),
            *_memory(figures.memory),
            *_payloads(figures.payloads),
            *(
                line
                for title, results in figures.sections.items()
                for line in _table(title, results)
            ),
            "What a submit on Dask takes is measured by `benchmarks/dask_submit.py`.",
            "",
            f"With {', '.join(f'{name} {version(name)}' for name in _PEERS)}.",
            "",
        ]
    )


def machine() -> str:
    """Name the machine by its processor, cores and Python only."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def goals_table(figures: Figures) -> Iterator[str]:
    yield from ("## Goals", "", "| what | goal | measured | |", "|---|---:|---:|---|")
    for goal, value in judged(figures):
        shown = f"{_number(goal.limit)} {goal.unit} | {_number(value)} {goal.unit}"
        yield f"| {goal.what} | {shown} | {verdict(goal, value)} |"
    yield ""


def _memory(memory: dict[str, float]) -> Iterator[str]:
    yield from ("## Memory held per finished call", "", "| contender | bytes |", "|---|---:|")
    yield from (f"| {name} | {size:.0f} |" for name, size in memory.items())
    yield ""


def _payloads(payloads: dict[str, list[float]]) -> Iterator[str]:
    yield from ("## An array of 100 MB in and out", "", "No fsync; memory beyond the array.", "")
    yield from ("| contender | save s | MB | load s | MB |", "|---|---:|---:|---:|---:|")
    for name, figures in payloads.items():
        yield f"| {name} | {' | '.join(map(_number, figures))} |"
    yield ""


def _table(title: str, results: Iterable[Result]) -> Iterator[str]:
    yield from (f"## {title}", "", "| contender | calls | us a call | ratio | wall us | ratio |")
    yield "|---|---:|---:|---:|---:|---:|"
    floor: Result | None = None
    for result in results:
        if floor is None or (result.count, len(result.cpu)) != (floor.count, len(floor.cpu)):
            floor = result
        low, high = result.spread()
        cells = (
            f"{_number(result.median())} ({_number(low)} to {_number(high)})",
            _number(result.ratio(floor)),
            _number(result.median("wall")),
            _number(result.ratio(floor, "wall")),
        )
        yield f"| {result.name} | {result.count:,} | {' | '.join(cells)} |"
    yield ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def picture(figures: Figures, path: Path) -> None:
    """Draw what a finished call takes, as multiples of the floor."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    # What was measured at 1,000 calls; the slowest were at fewer.
    finished = {
        result.name: result for result in figures.sections[FINISHED] if result.count <= 1000
    }
    floor = {r.count: r for r in figures.sections[FINISHED] if r.name == "os.stat loop"}
    ratios = {name: result.ratio(floor[result.count]) for name, result in finished.items()}
    for title, results in figures.sections.items():
        if title.startswith("On Prefect"):
            own = [r for r in results if r.name.startswith("Prefect, cached")]
            ratios |= {f"{r.name} ({title[12:]})": r.ratio(results[0]) for r in own}
    names = sorted(ratios, key=ratios.__getitem__, reverse=True)
    figure, axes = pyplot.subplots(figsize=(9, 0.36 * len(names) + 1.2), layout="constrained")
    colours = ["tab:orange" if name.startswith("prefectx") else "tab:gray" for name in names]
    bars = axes.barh(names, [ratios[name] for name in names], color=colours)
    axes.bar_label(bars, labels=[_number(ratios[name]) for name in names], padding=3)
    axes.set(xscale="log", title="A finished call, times os.stat", xlabel=machine())
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})

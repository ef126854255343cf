"""The cost of the configuration: reading 200 tasks, resolving one, asking again, an override.

Each figure is the median of several rounds. Run it with `python benchmarks/settings.py`.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from prefectx import settings

TASKS = 200
SECTION = """
[tasks.task_{n}]
target = "working/{n}/{{base}}.parquet"
dask = {{ memory = "2GB", priority = {n} }}
keepalive = {{ interval = "30s" }}
"""


def median(work: Callable[[], object], rounds: int, repeats: int = 1) -> float:
    """Return the median time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        times.append((time.perf_counter() - start) / repeats)
    return statistics.median(times) * 1e6


def read() -> settings.Settings:
    settings.reset()
    return settings.current()


def resolve_all() -> None:
    found = read()
    for n in range(TASKS):
        found.options(f"task_{n}")


def override() -> None:
    with settings.override(mode="function", root="/tmp/elsewhere") as changed:
        changed.options("task_7")


def main() -> None:
    keywords = {"target": "working/{funcname}/{base}"}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        text = "".join(SECTION.format(n=n) for n in range(TASKS))
        Path("prefectx.toml").write_text('mode = "cache"\n' + text, encoding="utf-8")
        found = read()
        figures = {
            f"read a file of {TASKS} tasks": median(read, 20),
            f"read it and resolve all {TASKS}": median(resolve_all, 10),
            "resolve a task again": median(lambda: found.options("task_7", keywords), 20, 10_000),
            "settings.current()": median(settings.current, 20, 10_000),
            "override and resolve a task": median(override, 100),
        }
        os.chdir("/")
    for name, microseconds in figures.items():
        print(f"{name:32} {microseconds:12,.2f} us")


if __name__ == "__main__":
    main()

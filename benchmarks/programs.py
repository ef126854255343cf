"""Times of whole programs: imports, and runs from start to end."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.contenders import finish
from benchmarks.harness import Result, measure_programs

SETTINGS = "import pydantic_settings"
_DECORATED = "from prefectx import task\n@task(mode={!r})\ndef double(n): return 2 * n"


def imports(rounds: int, *, short: bool = False) -> list[Result]:
    codes = {
        "bare Python": "pass",
        SETTINGS: "from pydantic_settings import BaseSettings",
        "import prefectx": "import prefectx",
        "prefectx function, a task": _DECORATED.format("function"),
        "prefectx cache, a task": _DECORATED.format("cache"),
    }
    if not short:
        codes |= {
            "prefectx prefect.skiptask, a task": _DECORATED.format("prefect.skiptask"),
            "import prefect": "from prefect import flow, task",
            "import joblib": "import joblib",
            "import diskcache": "import diskcache",
            "import cachier": "import cachier",
            "import luigi": "import luigi",
            "import hamilton": "from hamilton import driver",
        }
    return measure_programs(
        [(name, [sys.executable, "-c", code]) for name, code in codes.items()], rounds, {}
    )


def whole_runs(rounds: int, url: str, calls: int = 1000) -> list[Result]:
    """Return what a run takes whose tasks are all finished; Prefect's own is given a tenth."""
    finish(calls)
    results: list[Result] = []
    for name, contender, count, environment in (
        ("os.stat loop", "stat_loop", calls, {}),
        ("prefectx cache", "prefectx", calls, {"PREFECTX": "cache"}),
        ("joblib.Memory", "joblib", calls, {}),
        ("diskcache", "diskcache", calls, {}),
        ("prefectx prefect.skiptask", "prefectx", calls, {"PREFECTX": "prefect.skiptask"}),
        (f"Prefect, cached, {calls // 10} tasks", "prefect", calls // 10, {}),
    ):
        command: list[Any] = [sys.executable, "-m", "benchmarks.whole_run", contender, str(count)]
        results += measure_programs(
            [(name, command)], rounds, {"PREFECT_API_URL": url, **environment}
        )
    return results

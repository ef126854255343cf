"""The contenders for a finished call: each finds that `n -> 2 n` has been computed already."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import Contender
from prefectx import Task, task
from prefectx.calls import target_owners

FINISHED = "finished/{n}"
FLOOR = "os.stat loop"


def double(n: int) -> int:
    return 2 * n


def finish(count: int, target: str = FINISHED) -> list[str]:
    """Write the outputs that prefectx and the floor look for, and return their paths."""
    paths = [str(Path(target.format(n=n)).absolute()) for n in range(count)]
    Path(paths[0]).parent.mkdir(exist_ok=True)
    for n, path in enumerate(paths):
        Path(path).write_bytes(pickle.dumps(2 * n))
    return paths


def floor(paths: list[str]) -> Contender:
    def work(count: int) -> None:
        for path in paths[:count]:
            os.stat(path)  # noqa: PTH116  # pathlib costs more than the call that it wraps

    return Contender(FLOOR, work)


def ours(mode: str, target: str = FINISHED) -> list[Contender]:
    """Return prefectx in a mode that skips: called, submitted, mapped."""
    skipped = task(target=target, mode=mode)(double)

    def called(count: int) -> None:
        for n in range(count):
            skipped(n)

    return [
        Contender(name, work, before=lambda: target_owners().clear())
        for name, work in (
            (f"prefectx {mode}, called", called),
            (
                f"prefectx {mode}, submitted",
                lambda count: [skipped.submit(n) for n in range(count)],
            ),
            (f"prefectx {mode}, mapped", lambda count: skipped.map(range(count))),
        )
    ]


def recorded(count: int, target: str) -> list[Contender]:
    """Return calls of mode `cache` whose outputs have records: by default, `rerun`, and lazy."""
    task(target=target, mode="cache", fsync=False)(double).map(range(count))
    found = []
    for name, stale, is_lazy in (
        ("warn", "warn", False), ("rerun", "rerun", False), ("lazy", "warn", True)
    ):  # fmt: skip
        skipped = task(target=target, mode="cache", stale=stale, lazy=is_lazy)(double)

        def called(count: int, skipped: Task[[int], int] = skipped) -> None:
            for n in range(count):
                skipped(n)

        def submitted(count: int, skipped: Task[[int], int] = skipped) -> None:
            for n in range(count):
                skipped.submit(n)

        for how, work in (("called", called), ("submitted", submitted)):
            full = f"prefectx cache, records, {name}, {how}"
            found.append(Contender(full, work, before=lambda: target_owners().clear()))
    return found


def peers() -> Iterator[Contender]:
    """Yield the peers, with their calls done."""
    for make, name, limit in (
        (_joblib, "joblib.Memory", 1000),
        (_diskcache, "diskcache", 1000),
        (_cachier, "cachier", 1000),
        (_luigi, "Luigi, complete()", 1000),
        (_hamilton, "Hamilton", 100),
    ):
        contender = Contender(name, _loop(make()), limit)
        contender.work(limit)
        yield contender


def _loop(call: Callable[[int], object]) -> Callable[[int], object]:
    def work(count: int) -> None:
        for n in range(count):
            call(n)

    return work


def _joblib() -> Callable[[int], object]:
    from joblib import Memory

    cached: Callable[[int], object] = Memory("joblib", verbose=0).cache(double)
    return cached


def _diskcache() -> Callable[[int], object]:
    from diskcache import Cache

    cached: Callable[[int], object] = Cache("diskcache").memoize()(double)
    return cached


def _cachier() -> Callable[[int], object]:
    from cachier import cachier

    cached: Callable[[int], object] = cachier(cache_dir="cachier", separate_files=True)(double)
    return cached


def _luigi() -> Callable[[int], object]:
    import luigi

    class Double(luigi.Task):
        n = luigi.IntParameter()

        def output(self) -> Any:
            return luigi.LocalTarget(f"finished/{self.n}")

    return lambda n: Double(n=n).complete()


def _hamilton() -> Callable[[int], object]:
    from hamilton import driver

    from benchmarks import nodes

    cached = driver.Builder().with_modules(nodes).with_cache("hamilton").build()
    return lambda n: cached.execute(["doubled"], inputs={"n": n})

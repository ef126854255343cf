"""Large outputs beside the libraries' own writers: time, and memory beyond the object itself.

    python benchmarks/large_payloads.py [--array-mb 1000] [--frame-mb 100] [--rounds 3]

Every measurement runs in a new process; times are the best of the rounds, in seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Action = Callable[[], Any]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def array(megabytes: int) -> Any:
    import numpy as np

    return np.random.default_rng(0).random(megabytes * 1_000_000 // 8)


def frame(megabytes: int) -> Any:
    import numpy as np
    import pandas as pd

    rows = megabytes * 1_000_000 // 40
    numbers = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "x": numbers.random(rows),
            "y": numbers.random(rows),
            "when": pd.date_range("2020", periods=rows, freq="s"),
            "kind": numbers.choice(["alpha", "beta", "gamma"], rows),
        }
    )


def actions(name: str, path: str, data: Any) -> tuple[Action, Action]:
    """Return how a contender saves and loads."""
    import pickle

    import numpy as np
    import pandas as pd

    from prefectx.stores import Filestore

    def pickled() -> None:
        with Path(path).open("wb") as stream:
            pickle.dump(data, stream, protocol=5)

    def unpickled() -> Any:
        with Path(path).open("rb") as stream:
            return pickle.load(stream)

    if name.startswith("prefectx"):
        store = Filestore(fsync="fsync" in name, mmap="mmap" in name)
        return lambda: store.save(path, data), lambda: store.load(path)
    return {
        "numpy.save": (lambda: np.save(path, data), lambda: np.load(path)),
        "pickle": (pickled, unpickled),
        "to_parquet": (lambda: data.to_parquet(path), lambda: pd.read_parquet(path)),
        "to_feather": (lambda: data.to_feather(path), lambda: pd.read_feather(path)),
        "to_csv": (lambda: data.to_csv(path, index=False), lambda: pd.read_csv(path)),
    }[name]


def saving(name: str, path: str, make: Callable[[int], Any], size: int, rounds: int) -> Any:
    data = make(size)
    save, _ = actions(name, path, data)
    # Into no file, as prefectx does: overwriting one spares the system's work for new pages.
    return measured(save, rounds, before_each=lambda: Path(path).unlink(missing_ok=True))


def loading(name: str, path: str, _make: Any, _size: int, rounds: int) -> Any:
    import pandas  # noqa: F401  # its import is not what is measured
    import pyarrow.parquet  # noqa: F401

    _, load = actions(name, path, None)
    return measured(load, rounds)


def measured(action: Action, rounds: int, before_each: Action = int) -> tuple[float, float]:
    before, best = peak_mb(), float("inf")
    for _ in range(rounds):
        before_each()
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best, peak_mb() - before


def compare(
    title: str, contenders: list[str], suffix: str, make: Any, size: int, rounds: int
) -> None:
    print(f"\n{title}\n{'':18} {'save s':>8} {'+MB':>7} {'load s':>8} {'+MB':>7}")
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        for name in contenders:
            path = f"{folder}/a{suffix}"
            results = [alone(step, name, path, make, size, rounds) for step in (saving, loading)]
            print(f"{name:18}", *(f"{seconds:8.3f} {mb:7.0f}" for seconds, mb in results))
            Path(path).unlink()


def alone(step: Any, *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(step, arguments)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--array-mb", type=int, default=1000)
    parser.add_argument("--frame-mb", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ours = ["prefectx", "prefectx fsync"]
    rest = (given.rounds,)
    compare(
        f"{given.array_mb} MB NumPy array, .npy",
        ["numpy.save", *ours, "prefectx mmap"], ".npy", array, given.array_mb, *rest,
    )  # fmt: skip
    compare(
        f"{given.array_mb} MB NumPy array, pickle",
        ["pickle", *ours],
        ".pkl",
        array,
        given.array_mb,
        *rest,
    )
    for suffix, theirs in (
        (".parquet", "to_parquet"),
        (".feather", "to_feather"),
        (".csv", "to_csv"),
    ):
        title = f"{given.frame_mb} MB pandas frame, {suffix}"
        compare(title, [theirs, *ours], suffix, frame, given.frame_mb, *rest)


if __name__ == "__main__":
    main()

"""Fingerprints beside joblib.hash and hash_pandas_object: python -m benchmarks.fingerprints.

The goal: no value takes more than twice the time of joblib.hash.
"""

from __future__ import annotations

import datetime
import decimal
import pathlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from benchmarks.harness import Contender, measure
from prefectx.arguments.fingerprint import fingerprint

_GOAL = 2
_ROWS = 200_000
_SMALL = 1_000


@dataclass
class Point:
    """An object with two attributes."""

    x: int
    y: str


class Node:
    """A node of a tree."""

    def __init__(self, parent: Node | None) -> None:
        self.parent = parent
        self.children: list[Node] = []


def tree(size: int) -> Node:
    nodes = [Node(None)]
    for number in range(1, size):
        parent = nodes[(number - 1) // 2]
        nodes.append(Node(parent))
        parent.children.append(nodes[-1])
    return nodes[0]


def small() -> Mapping[str, object]:
    return {
        "an int": 1,
        "a text": "some text",
        "a date": datetime.date(2024, 1, 1),
        "a path": pathlib.Path("data/a.csv"),
        "a list": [1, 2, 3],
        "a dict": {"a": 1, "b": [1, 2]},
        "an object": Point(1, "a"),
        "a class": Point,
        "a function": tree,
        "a frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        "an array": np.arange(10),
    }


def large() -> Mapping[str, object]:
    random = np.random.default_rng(0)
    numbers, texts = random.random(_ROWS), [f"s{i % 1000}" for i in range(_ROWS)]
    days = pd.date_range("2000", periods=_ROWS, freq="min", tz="Europe/Paris")
    keys = pd.MultiIndex.from_product([range(_ROWS // 200), [f"s{i}" for i in range(200)]])
    count = range(20_000)
    return {
        "ints": list(range(_ROWS)),
        "texts": texts,
        "a set": set(map(str, count)),
        "dicts": [{"id": i, "name": f"n{i}", "tags": ["a", "b"]} for i in count],
        "objects": [Point(i, str(i)) for i in count],
        "dates": [datetime.datetime(2024, 1, 1) + datetime.timedelta(i) for i in count],
        "decimals": [decimal.Decimal(i) for i in count],
        "a tree with parents": tree(200),
        "bytes": b"x" * 5_000_000,
        "an array": numbers,
        "an array in Fortran's order": np.asfortranarray(random.random((500, 400))),
        "an array of objects": np.array(texts, object),
        "a frame of numbers": pd.DataFrame(random.random((_ROWS, 5))),
        "a frame of texts": pd.DataFrame({"s": texts}),
        "a frame of objects": pd.DataFrame({"s": pd.Series(texts, dtype=object)}),
        "a frame with a zone": pd.DataFrame({"v": numbers}, index=days),
        "a frame with a MultiIndex": pd.DataFrame({"v": numbers}, index=keys),
        "a frame of categories": pd.DataFrame({"c": pd.Categorical(texts)}),
        "a frame of Int64": pd.DataFrame({"n": pd.array(range(_ROWS), dtype="Int64")}),
        "a wide frame": pd.DataFrame(random.random((100, 5000))),
        "a polars frame": pl.DataFrame({"n": numbers, "s": texts}),
        "an Arrow table": pa.table({"n": numbers, "s": texts}),
    }


def compare(title: str, values: Mapping[str, Any], count: int) -> list[str]:
    """Print a line for each value; return the names of those that miss the goal."""
    print(f"\n{title:32}{'us':>12}{'x joblib':>12}{'x pandas':>12}")
    slow = []
    for name, value in values.items():
        ways = {"prefectx": fingerprint, "joblib": joblib.hash}
        if isinstance(value, (pd.DataFrame, pd.Series)):
            ways["pandas"] = pd.util.hash_pandas_object
        # Large values are hashed three times for a sample.
        contenders = [
            Contender(way, lambda n, f=f, value=value: [f(value) for _ in range(n)], max(count, 3))
            for way, f in ways.items()
        ]
        ours, theirs, *pandas = measure(contenders, count, rounds=5)
        ratio = ours.ratio(theirs)
        beside = f"{ours.ratio(pandas[0]):12.2f}" if pandas else ""
        print(f"{name:32}{ours.median():12.1f}{ratio:12.2f}{beside}", flush=True)
        slow += [name] if ratio > _GOAL else []
    return slow


def main() -> int:
    slow = compare("small values", small(), _SMALL) + compare("large values", large(), 1)
    print(f"\nmore than {_GOAL} times joblib.hash: {', '.join(slow) or 'none'}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())

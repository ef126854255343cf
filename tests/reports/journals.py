"""Journals of made-up processes, written as processes write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from prefectx.records import Failure, Record
from prefectx.records.journal import opening_line

BEGAN = 1_790_000_000.0


def run_name(number: int) -> str:
    return f"20260921T131320-{4000 + number}-{number:08x}"


def write(
    folder: Path, lines: Iterable[Record | Failure], hosts: dict[str, str] | None = None
) -> None:
    """Write records and failures, each into the journal of its run."""
    journals: dict[str, list[bytes]] = {}
    for each in lines:
        if each.run not in journals:
            opening = orjson.loads(opening_line(each.run))
            opening |= {"host": (hosts or {}).get(each.run, "here"), "began": BEGAN}
            journals[each.run] = [orjson.dumps(opening) + b"\n"]
        journals[each.run].append(each.line())
    place = folder / ".prefectx/records"
    place.mkdir(parents=True, exist_ok=True)
    for run, found in journals.items():
        (place / f"{run}.jsonl").write_bytes(b"".join(found))


def record(location: str, task: str = "clean", **values: object) -> Record:
    """Return a record, with defaults for what a test is not about."""
    known = {
        "function": f"pipeline:{task}", "version": "0" * 32, "size": 10, "mtime": 1,
        "arguments": {}, "made": BEGAN, "seconds": 1.0, "run": run_name(0),
    }  # fmt: skip
    return Record(location=location, task=task, **(known | values))  # type: ignore[arg-type]


def failure(location: str, task: str = "clean", **values: object) -> Failure:
    """Return a failure, with defaults for what a test is not about."""
    known = {
        "function": f"pipeline:{task}", "file": None, "arguments": {}, "error": "ValueError: no",
        "traceback": 'Traceback (most recent call last):\n  File "p.py", line 3, in clean\n    no\n'
        "ValueError: no\n",
        "kept": "1.pkl", "made": BEGAN, "run": run_name(0),
    }  # fmt: skip
    return Failure(failed=location, task=task, **(known | values))  # type: ignore[arg-type]


def large(count: int, processes: int = 4, failed: int = 0) -> Iterable[Record | Failure]:
    """Yield the records of a run of many calls: half of them read an output of the others."""
    half = count // 2
    for number in range(half):
        clock = BEGAN + number / processes * 0.05
        run = run_name(number % processes)
        path = f"raw/2026/station-{number * 7919 % 100_003:06d}/measurements-{number:06d}.csv"
        yield record(
            f"working/clean/station-{number:06d}.parquet", "clean", made=clock + 0.05,
            seconds=0.02 + number * 37 % 100 / 5000, size=10_000 + number * 7919 % 90_000, run=run,
            arguments={"path": path, "threshold": "0.5"}, version=f"{number:032x}",
        )  # fmt: skip
    after = BEGAN + half / processes * 0.05 + 1
    for number in range(count - half):
        source = f"working/clean/station-{number % max(half, 1):06d}.parquet"
        yield record(
            f"working/measure/station-{number:06d}.json", "measure", size=300 + number % 50,
            made=after + number / processes * 0.01, seconds=0.008, run=run_name(number % processes),
            arguments={"table": None}, inputs={"table": [[source, f"{number:032x}"]]},
        )  # fmt: skip
    for number in range(failed):
        yield failure(
            f"working/clean/broken-{number:06d}.parquet", made=after, run=run_name(0),
            error=f"ValueError: row {number} has no date",
            arguments={"path": f"'raw/broken-{number}.csv'"},
        )  # fmt: skip

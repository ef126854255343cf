"""Processes that save and load the same targets and are killed; run by `test_kill.py`.

Each writes the number of a target to its report when a save of it has returned.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from prefectx.stores import Filestore, SqlStore

PROCESSES = 8
TARGETS = 100
REPEATED = 2_000
FILE_SUFFIXES = [".pkl", ".json", ".txt.gz", ".bin"]
ROW_SUFFIXES = ["", ".json"]


def place_of(store, root, number):
    suffixes = FILE_SUFFIXES if isinstance(store, Filestore) else ROW_SUFFIXES
    name = f"{number}{suffixes[number % len(suffixes)]}"
    return f"{root}/{number % 7}/{name}" if isinstance(store, Filestore) else name


def content(location, version):
    if location.endswith(".txt.gz"):
        return str(version) * REPEATED
    if location.endswith(".bin"):
        return str(version).encode() * REPEATED
    return [version] * REPEATED


def check(store, location):
    found = store.load(location)
    assert len(found) == REPEATED, f"damaged: {location}"
    assert found == found[:1] * REPEATED, f"damaged: {location}"


def work(store, root, report):
    random.seed()
    with open(report, "ab", buffering=0) as done:  # noqa: PTH123
        while True:
            number = random.randrange(TARGETS)
            location = place_of(store, root, number)
            store.save(location, content(location, random.randrange(9)))
            done.write(b"%d\n" % number)
            other = place_of(store, root, random.randrange(TARGETS))
            if store.exists(other):
                check(store, other)


def start(store, root, report):
    pid = os.fork()
    if pid:
        return pid
    try:
        work(store, root, report)
    finally:
        os._exit(1)


def storm(store, root, reports, kills, longest):
    # Before the processes fork: their short lives are for work, not for imports.
    store.exists(place_of(store, root, 0))
    workers = [start(store, root, report) for report in reports]
    try:
        for kill in range(kills):
            time.sleep(random.uniform(0, longest))
            number = kill % PROCESSES
            end(workers[number])
            workers[number] = start(store, root, reports[number])
    finally:
        for worker in workers:
            end(worker)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "a worker ended by itself: see its error above"


if __name__ == "__main__":
    root, kills, *reports = sys.argv[1:]
    chosen = SqlStore(root) if "://" in root else Filestore(fsync=False)
    storm(chosen, root, reports, int(kills), longest=0.3 if "://" in root else 0.1)

"""Tasks for the tests of the runners; they can be imported in other processes."""

import asyncio
import os
import threading
import time
from pathlib import Path

import prefectx
from prefectx import as_completed, task


class Unlucky(Exception):
    """Takes two arguments, and so does not survive a pickle."""

    def __init__(self, what, why):
        super().__init__(f"{what} because of {why}")


@task(target="out/{x}.json")
def double(x):
    return 2 * x


@task(target="out/total.json")
def total(parts):
    return sum(parts)


@task(target="out/add-{key}.json")
def add(key, parts):
    """Return the sum of all it depends on, with its own number if it has one."""
    return (key if isinstance(key, int) else 0) + sum(parts)


@task(target="out/late-{x}.json")
def late(x, seconds):
    time.sleep(seconds)
    return x


@task(target="out/meet-{x}.json")
def meet(x, count, place):
    """Return when `count` calls are here at a time."""
    _arrive(place, x)
    end = time.monotonic() + 60
    while _count(place) < count:
        assert time.monotonic() < end, "the others have not come"
        time.sleep(0.01)
    return x


@task(target="out/meet-async-{x}.json")
async def meet_async(x, count, place):
    """Return when `count` calls are here at a time."""
    _arrive(place, x)
    end = time.monotonic() + 60
    while _count(place) < count:
        assert time.monotonic() < end, "the others have not come"
        await asyncio.sleep(0.01)
    return x


@task(target="out/bad-{x}.json")
def bad(x):
    raise ValueError(f"no {x}")


@task(target="out/unlucky-{x}.json")
def unlucky(x):
    raise Unlucky(x, "rain")


@task(target="out/nested-{x}.json")
def nested(x):
    """Submit further calls, and wait for them."""
    first = [future.result().load() for future in double.map([10 * x, 10 * x + 1])]
    assert len(list(as_completed(double.map([100 * x, 100 * x + 1])))) == 2
    return first


@task(target="out/chain-{x}.json")
def chain(x, length):
    """Submit calls that wait for each other, and wait for the last."""
    last = double.submit(x)
    for number in range(length):
        last = add.submit(f"{x}-{number}", [last])
    return last.result().load()


@task(target="out/chain-async-{x}.json")
async def chain_async(x, place):
    """Wait in the event loop for a call that has not begun."""
    return meet_async.submit(f"{x}-inner", 1, place).result().load()


@task(target="out/deaths-{x}.json")
def deaths(x, place):
    """Kill the process of one of the calls, each time it runs."""
    _arrive(place, f"{x}-{time.monotonic_ns()}")
    if x == 3:
        os._exit(7)
    time.sleep(0.05)
    return x


@task(target=None)
def kept_nowhere(x):
    return [x] * 3


class OnlyThere:
    """Can be pickled, but read only in the process that made it."""

    def __init__(self, pid):
        self.pid = pid

    def __reduce__(self):
        return _only_in, (self.pid,)


def _only_in(pid):
    if pid != os.getpid():
        raise ImportError("only there")
    return OnlyThere(pid)


@task(target=None)
def only_there(x):
    return OnlyThere(os.getpid())


@task(target=None)
def lock(x):
    return threading.Lock()


@task(target="out/{year}/seen-{x}.json")
def seen(x, year):
    return [x, year]


@task(target="out/here-{base}.json")
def here(x):
    """Return what is set where the call runs."""
    return [
        str(prefectx.settings.current().project.root),
        prefectx.settings.current().project.fsync,
    ]


@task(target="out/flaky-{x}.json", retries=2, retry_delay_seconds=0.01)
def flaky(x, place):
    _arrive(place, f"{x}-{time.monotonic_ns()}")
    if _count(place) < 3:
        raise ValueError("not yet")
    return _count(place)


async def _is_worth_it(task, run, state):
    return isinstance(state.data, ValueError)


@task(target="out/async-flaky-{x}.json", retries=2, retry_condition_fn=_is_worth_it)
async def flaky_async(x, place):
    _arrive(place, f"{x}-{time.monotonic_ns()}")
    if _count(place) < 2:
        raise ValueError("not yet")
    return _count(place)


@task(target="out/slow-{x}.json", timeout_seconds=0.2)
def too_slow(x):
    for _ in range(1000):
        time.sleep(0.01)


def _arrive(place, name):
    Path(place).mkdir(parents=True, exist_ok=True)
    Path(place, str(name)).touch()


def _count(place):
    return len(list(Path(place).iterdir()))

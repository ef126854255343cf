"""Tasks and flows that workers import."""

import ctypes
import gc
import logging
import os
import signal
import time
import tracemalloc
from pathlib import Path

import cloudpickle

from prefectx import allow_failure, flow, get_run_logger, load, task, wait


@task(target="where/{n}.json")
def where(n):
    return {"folder": str(Path.cwd()), "process": os.getpid(), "mode": os.environ.get("PREFECTX")}


@flow
def places():
    return load([where.submit(n) for n in range(4)])


@task(target="spans/{n}.json", dask={"memory": "600MB"})
def span(n):
    begun = time.time()
    time.sleep(0.5)
    return {"process": os.getpid(), "begun": begun, "ended": time.time()}


@flow
def spans():
    return load(span.map(range(4)))


@task(dask={"memory": "100GB"})
def enormous():
    return "never"


@flow
def too_much():
    return enormous.submit()


@task(target="ordered/{n}.json")
def ordered(n):
    time.sleep(0.3)
    return time.time()


@flow
def by_priority():
    late = [ordered.submit(n) for n in range(6)]
    first = ordered.with_options(dask={"priority": 100}).submit(6)
    return load([*late, first])


@task(target="counted/{n}.json")
def kill_once(n, folder):
    mark = Path(folder) / "killed"
    with (Path(folder) / "calls").open("a") as calls:
        calls.write(f"{n}\n")
    time.sleep(0.3)
    if n == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return n


@task(target="counted/sum.json")
def total(parts):
    return sum(parts)


@flow
def survives(folder):
    return load(total.submit([kill_once.submit(n, folder) for n in range(6)]))


@task(target="frozen/{n}.json", retries=1)
def freeze(n, times, folder):
    """Cut the worker off from the network, as for the rest it is."""
    calls = Path(folder) / "calls"
    with calls.open("a") as file:
        file.write(f"{n}\n")
    if len(calls.read_text().split()) <= times:
        os.kill(os.getpid(), signal.SIGSTOP)
    return n


@flow
def cut_off(n, times, folder):
    return load(freeze.submit(n, times, folder))


@task(target="hog/{n}.json")
def hog(n, folder):
    with (Path(folder) / "calls").open("a") as calls:
        calls.write(f"{n}\n")
    held = []
    for _ in range(200):
        held.append(bytearray(20_000_000))
        time.sleep(0.02)


@task(target=None)
def after(x):
    return type(x).__name__


@flow
def hungry(folder):
    eaten = hog.submit(1, folder)
    behind = after.submit(eaten)
    allowed = after.submit(allow_failure(eaten))
    fine = [ordered.submit(n) for n in range(2)]
    for future in (behind, allowed, *fine):
        future.wait()
    return eaten.result()


@task
def give(n):
    return bytes(n)


@task(target=None)
def grow_and_free(megabytes):
    """Allocate small objects and free them but the last: the allocator keeps the rest."""
    held = [bytes(600) for _ in range(megabytes * 1600)]
    del held[:-1]
    return held[-1][:1]


@task(target=None)
def large(megabytes):
    return b"x" * (megabytes * 1_000_000)


@task(target=None)
def resident():
    statm = Path("/proc/self/statm").read_text().split()
    return os.getpid(), int(statm[1]) * 4096 / 1e6


@flow
def memory_after(megabytes):
    grow_and_free.submit(megabytes).wait()
    return dict(resident.submit().result() for _ in range(4))


@flow
def memory_after_first(megabytes):
    """The first task run of the worker returns much, and nobody keeps it."""
    large.submit(megabytes).wait()
    return dict(resident.submit().result() for _ in range(2))


@task(target=None)
def environment(name):
    return os.environ.get(name)


@flow
def variables(*names):
    return environment.map(names).result()


@task(target=None, task_run_name="talk")
def talk():
    logging.getLogger("mylib").info("from a library")
    get_run_logger().info("from the task")


@flow
def talking():
    talk.submit().wait()


@task(target=None, task_run_name="hold")
def hold(seconds):
    """Sleep without letting go of the interpreter."""
    ctypes.PyDLL(None).sleep(seconds)


@flow
def holding():
    hold.submit(4).wait()


@task(target="small/{n}.json")
def small(n):
    return n


@flow
def held_after(warm_up, calls):
    """Return the bytes that each finished call holds here while its future is kept, and after."""
    wait([small.submit(-n) for n in range(1, warm_up)])
    tracemalloc.start()
    held = []
    futures = [small.submit(n) for n in range(calls)]
    wait(futures)
    for _ in range(2):
        # What finished calls leave to other threads is over soon.
        time.sleep(1)
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0] / calls)
        futures = None
    tracemalloc.stop()
    return held


@flow
def futures_of(sizes):
    futures = [give.submit(size) for size in sizes]
    for future in futures:
        future.wait()
    return [len(cloudpickle.dumps(future.state)) for future in futures]

"""Fingerprints: the same for equal values, in every process; of whatever Python has."""

import abc
import contextlib
import copy
import enum
import gc
import importlib.util
import itertools
import json
import logging
import os
import pickle
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import types
import typing
from dataclasses import dataclass, make_dataclass
from functools import lru_cache, partial, wraps
from pathlib import Path

import attrs
import numpy as np
import pandas as pd
import pydantic
import pytest

from prefectx import Filestore, Item, override, task
from prefectx.arguments.fingerprint import (
    Stamp,
    callee_identity,
    comparable,
    fingerprint,
    register_identity,
    short_hash,
)
from prefectx.arguments.identity.form import Unidentifiable
from prefectx.arguments.identity.makers import IDENTITIES
from prefectx.engines.local.futures import LocalFuture
from prefectx.errors import TargetError
from tests.arguments import values
from tests.arguments.values import Kinds, Plain, Point, Table, Words, named

GOLDEN = Path(__file__).with_name("golden.json")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def known():
    """The fingerprint of each expression of the table."""
    return values.fingerprints()


def run(program, *arguments, **environment):
    """Run a program in a Python of its own and return what it prints."""
    return subprocess.run(
        [sys.executable, *program, *arguments],
        env={"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


# --- the table


def test_the_table_is_long_enough():
    """At least 150 values, some of them in several forms."""
    assert len(values.GROUPS) > 300
    assert sum(len(group) > 1 for group in values.GROUPS) > 40


def test_equal_values_have_equal_fingerprints(known):
    """However a value was made."""
    different = [group for group in values.GROUPS if len({known[text] for text in group}) > 1]
    assert not different


def test_different_values_have_different_fingerprints(known):
    """Type and content both count."""
    texts = {}
    for group in values.GROUPS:
        texts.setdefault(known[group[0]], []).append(group[0])
    assert not [group for group in texts.values() if len(group) > 1]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_in_another_process(known, seed):
    """Neither the hash seed nor an address nor the name of the main module gets in."""
    program = ["-m", "tests.arguments.values"]
    assert json.loads(run(program, PYTHONHASHSEED=seed)) == known


def test_the_same_as_ever(known):
    """What was made with an earlier version, on another machine, with another Python, counts.

    `python -m tests.arguments.values > tests/arguments/golden.json` after a change of SCHEME.
    """
    golden = json.loads(GOLDEN.read_text())
    assert golden.keys() == known.keys()
    assert {text: known[text] for text in golden if known[text] != golden[text]} == {}


@pytest.mark.parametrize("group", values.GROUPS, ids=lambda group: group[0][:40])
def test_a_copy_is_the_same(known, group):
    """A value that was sent to another process counts as what it was."""
    value = eval(group[0], vars(values))
    if group[0] == 'np.array([1], ">i4")':
        pytest.skip("NumPy's pickles change the order of bytes")
    for make in (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        with contextlib.suppress(TypeError, pickle.PicklingError, AttributeError):
            assert fingerprint(make(value)).hex() == known[group[0]]


# --- functions and classes


def adder(number, start=0):
    def add(value, start=start):
        return value + number + start

    return add


def counter():
    def count(n):
        return n and count(n - 1)

    return count


def keyword(number):
    return lambda *args, option=number: option


def made(text, name="f", **namespace):
    exec(compile(text, namespace.pop("file", "program.py"), "exec"), namespace)
    return namespace[name]


def unwrapped(function):
    def inner(*args):
        return function(*args)

    return inner


def wrapped(function):
    @wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@unwrapped
def first_unwrapped():
    return 1


@unwrapped
def second_unwrapped():
    return 2


@wrapped
def well_wrapped():
    return 3


@task
def decorated():
    return 4


def local_class(number, base=object):
    class Local(base):
        content = number

        def method(self):
            return number

    return Local


def local_dataclass(default):
    @dataclass
    class Local:
        x: int = default

    return Local


def local_model(default):
    class Local(pydantic.BaseModel):
        x: int = default

    return Local


def local_attrs(default):
    @attrs.define
    class Local:
        x: int = default

    return Local


def local_enum(number):
    class Local(enum.Enum):
        ONE = number

        def method(self):
            return number

    return Local


def local_typing(name):
    class Dict(typing.TypedDict):
        key: int

    class Shape(typing.Protocol):
        def method(self): ...

    class Abstract(abc.ABC):
        @property
        @abc.abstractmethod
        def content(self):
            return name

    class Derived(Abstract):
        content = name

        def method(self):
            return super().content

    kind = typing.TypeVar("kind")

    class Generic(typing.Generic[kind]):
        pass

    names = {"dict": Dict, "shape": Shape, "derived": Derived, "generic": Generic[int]}
    return {**names, "kind": kind, "object": Derived()}[name]


LOCAL = [
    lambda: local_enum(1),
    lambda: local_enum(2),
    lambda: local_enum(1).ONE,
    lambda: local_typing("dict"),
    lambda: local_typing("shape"),
    lambda: local_typing("derived"),
    lambda: local_typing("generic"),
    lambda: local_typing("kind"),
    lambda: local_typing("object"),
    lambda: lambda x: x + 1,
    lambda: lambda x: x + 2,
    lambda: lambda x: x - 1,
    lambda: lambda y: y + 1,
    lambda: lambda x, y=1: x,
    lambda: lambda x, y=2: x,
    lambda: lambda *x: x,
    lambda: lambda x: x.upper,
    lambda: lambda x: x.lower,
    lambda: lambda x: {"a", "b", "c"} | x,
    lambda: lambda x: [part for part in x],  # noqa: C416
    lambda: adder(1),
    lambda: adder(2),
    lambda: adder(1, 1),
    lambda: counter(),
    lambda: keyword(1),
    lambda: keyword(2),
    lambda: partial(adder(1), 1),
    lambda: partial(adder(1), 2),
    lambda: made("def f(x): return x"),
    lambda: made("def f(x): return -x"),
    lambda: made("def f(x):\n try: return x\n except ValueError: pass"),
    lambda: made("def f(x):\n try: return x\n except TypeError: pass"),
    lambda: first_unwrapped,
    lambda: second_unwrapped,
    lambda: well_wrapped,
    lambda: well_wrapped.__wrapped__,
    lambda: wrapped(adder(1)),
    lambda: wrapped(adder(2)),
    lambda: lru_cache(adder(1)),
    lambda: local_class(1),
    lambda: local_class(2),
    lambda: local_class(1, Point),
    lambda: local_class(1)(),
    lambda: local_class(2)(),
    lambda: local_dataclass(1),
    lambda: local_dataclass(2),
    lambda: local_dataclass(1)(3),
    lambda: local_dataclass(2)(3),
    lambda: local_model(1),
    lambda: local_model(2),
    lambda: local_model(1)(),
    lambda: local_attrs(1),
    lambda: local_attrs(2),
    lambda: make_dataclass("Made", ["x"])(1),
    lambda: make_dataclass("Made", ["y"])(1),
    lambda: decorated,
    lambda: np.vectorize(adder(1)),
    lambda: np.vectorize(adder(2)),
]


def test_functions_and_classes_that_their_name_does_not_identify():
    """Code, defaults and closure count; made twice, a function is the same."""
    prints = [fingerprint(make()) for make in LOCAL]
    assert prints == [fingerprint(make()) for make in LOCAL]
    assert len(set(prints)) == len(prints)


def test_local_functions_in_another_process():
    """A set among the constants has another order there."""
    program = (
        "from tests.arguments.test_fingerprint import LOCAL, fingerprint\n"
        "print([fingerprint(make()).hex() for make in LOCAL])"
    )
    seeds = {run(["-c", program], PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert seeds == {f"{[fingerprint(make()).hex() for make in LOCAL]}\n"}


@pytest.mark.parametrize("body", ["1", "2"])
def test_the_file_of_a_local_task_does_not_count(body):
    """A program may be moved to another folder; what the function does counts."""

    def made_in(file, body):
        text = f"def make():\n @task\n def f():\n  return {body}\n return f"
        return made(text, "make", file=file, task=task, __name__="program")()

    # On Prefect a task has a key as well, which may be made of the file.
    with override(mode="cache"):
        same = fingerprint(made_in("a.py", "1")) == fingerprint(made_in("b.py", body))
    assert same == (body == "1")


def test_where_a_function_is_defined_identifies_it():
    """Its name, and what decorates it there, lead back to it."""
    module = __name__
    assert callee_identity(named) == "tests.arguments.values:named"
    assert callee_identity(decorated.fn) == f"{module}:decorated"
    assert callee_identity(well_wrapped) == f"{module}:well_wrapped"
    assert callee_identity(well_wrapped.__wrapped__) == f"{module}:well_wrapped"
    assert callee_identity(Plain.method) == "tests.arguments.values:Plain.method"


def test_where_the_name_is_not_enough_the_content_counts():
    """Closures, lambdas, what was decorated without `functools.wraps`, partials, objects."""
    callees = [
        adder(1),
        adder(2),
        lambda: 1,
        lambda: 2,
        first_unwrapped,
        second_unwrapped,
        partial(named, 1),
        partial(named, 2),
        lru_cache(named),
        Caller(1),
        Caller(2),
        named,
        len,
    ]
    assert len({callee_identity(callee) for callee in callees}) == len(callees)
    assert callee_identity(adder(1)) == callee_identity(adder(1))
    assert callee_identity(Caller(1)) == callee_identity(Caller(1))


class Caller:
    def __init__(self, number):
        self.number = number

    def __call__(self):
        return self.number


def test_a_closure_without_identity_is_itself_only():
    """A function that holds a lock is no error."""
    first, second = adder(threading.Lock()), adder(threading.Lock())
    assert callee_identity(first) == callee_identity(first)
    assert callee_identity(first) != callee_identity(second)


def test_a_redefined_function_is_another_one():
    """The name means the newer one."""
    namespace = {"__name__": "redefined", "__file__": "redefined.py"}
    exec("def f(): return 1", namespace)
    first = namespace["f"]
    assert callee_identity(first) == "redefined:f"
    exec("def f(): return 2", namespace)
    assert callee_identity(namespace["f"]) == "redefined:f"
    assert callee_identity(first) != "redefined:f"


def test_in_a_notebook_the_code_counts():
    """There a name means something else after the next cell."""
    namespace = {"__name__": "__main__"}
    seen = []
    for body in ("1", "2", "1"):
        exec(f"def f(): return {body}", namespace)
        seen.append((callee_identity(namespace["f"]), fingerprint(namespace["f"])))
    assert seen[0] == seen[2] != seen[1]


PROGRAM = """
class C:
    def __init__(self): self.a = 1
def f(): return 1
if __name__ == "__main__":
    from prefectx.arguments.fingerprint import callee_identity, fingerprint
    print(callee_identity(f), fingerprint([f, C, C()]).hex())
"""


@pytest.mark.parametrize("folder", ["", "package"])
def test_a_file_is_the_same_however_it_is_loaded(folder, tmp_path, monkeypatch):
    """Run as a program, imported, and loaded from its file under a made-up name, twice."""
    file = tmp_path / folder / "program.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(PROGRAM)
    name = "program"
    if folder:
        (file.parent / "__init__.py").touch()
        name = "package.program"
    monkeypatch.syspath_prepend(tmp_path)
    modules = [importlib.import_module(name)]
    for made_up in ("__prefect_loader__", "entrypoint_1", "entrypoint_1"):
        spec = importlib.util.spec_from_file_location(made_up, file)
        modules.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(modules[-1])
    seen = {f"{callee_identity(m.f)} {fingerprint([m.f, m.C, m.C()]).hex()}\n" for m in modules}
    seen.add(run([str(file)]))
    seen.add(run(["-m", name], PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT), *sys.path])))
    assert len(seen) == 1
    assert seen.pop().startswith(f"{name}:f ")
    monkeypatch.delitem(sys.modules, name)


# --- what has no identity


def numbers():
    yield 1


def open_file(name):
    return Path(name).open("rb")


async def coroutine():
    return 1


class Unreadable:
    def __reduce__(self):
        raise RuntimeError("no")


class Endless:
    def __reduce__(self):
        return Endless, (Endless(),)


class Raising:
    @property
    def __class__(self):
        raise ValueError("no")

    def __getattribute__(self, name):
        raise KeyError(name)


class Dropped:
    def __getattr__(self, name):
        raise KeyError(name)

    def __getstate__(self):
        raise KeyError("state")


WITHOUT = {
    "generator": numbers,
    "file": lambda: open_file(__file__),
    "socket": socket.socket,
    "lock": threading.Lock,
    "event": threading.Event,
    "connection": lambda: sqlite3.connect(":memory:"),
    "set iterator": lambda: iter({1}),
    "itertools": lambda: itertools.chain([1], [2]),
    "unreadable": Unreadable,
    "dropped": Dropped,
    "raising": Raising,
    "frame": sys._getframe,
    "ufunc": lambda: np.frompyfunc(lambda x: x, 1, 1),
    "released": lambda: (lambda view: view.release() or view)(memoryview(b"a")),
    "object with a lock": lambda: Plain(lock=threading.Lock()),
    "closure": lambda: adder(threading.Lock()),
    "future": lambda: LocalFuture(3),
    "weak": lambda: __import__("weakref").ref(Plain()),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_what_has_no_identity_is_refused(name):
    """It is never taken for another, and in the comparison of calls it is itself only."""
    one, another = WITHOUT[name](), WITHOUT[name]()
    with contextlib.ExitStack() as stack:
        for value in (one, another):
            if hasattr(type(value), "close"):
                stack.callback(value.close)
        for value in (one, [one], {"a": one}, Point(one)):
            with pytest.raises(Unidentifiable):
                fingerprint(value)
        if name not in ("socket", "connection", "lock", "event"):
            assert comparable(one) == comparable(one)
            assert comparable([one]) != comparable([one])
            if one is not another:
                assert comparable(one) != comparable(another)


def test_an_object_without_end_is_refused():
    """Each of its parts is made of a new one."""

    class Endless:
        def __reduce__(self):
            return Endless, (Endless(),)

    with pytest.raises(Unidentifiable, match="too deeply"):
        fingerprint(Endless())


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, threading.Lock()], "[1]"),
        ({"a": [Plain(b=(threading.Lock(),))]}, "['a'][0].b[0]"),
        (Point(1, threading.Lock()), ".y"),
        (threading.Lock(), ""),
    ],
)
def test_the_way_to_what_has_no_identity(value, path):
    """The error says where it is."""
    with pytest.raises(Unidentifiable) as failure:
        fingerprint(value)
    assert failure.value.path == path
    assert failure.value.kind is type(threading.Lock())


def test_loggers_locks_and_connections_do_not_count_among_calls():
    """They are what a function works with."""
    connections = [sqlite3.connect(":memory:") for _ in range(2)]
    loggers = logging.getLogger("a"), logging.LoggerAdapter(logging.getLogger("b"), {"run": 1})
    means = (*connections, *loggers, threading.Lock(), threading.RLock(), threading.Event())
    assert {comparable(value) for value in means} == {()}
    for connection in connections:
        connection.close()


def test_what_is_compared_is_small():
    """A long text is remembered by its fingerprint; an object is not kept alive."""
    assert comparable("x" * 64) == "x" * 64
    assert len(comparable("x" * 5_000_000)[0]) == 16
    assert len(comparable(b"x" * 5_000_000)[0]) == 16
    generator = numbers()
    first = comparable(generator)
    del generator
    gc.collect()
    assert first != comparable(numbers())


# --- registered identities


class Handle:
    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()


class Special(Handle):
    pass


@pytest.fixture
def registered():
    register_identity(Handle, lambda handle: (handle.name,))
    yield
    IDENTITIES.clear()


@pytest.mark.usefixtures("registered")
def test_a_registered_identity_counts():
    """For the type and its subclasses, which stay different."""
    assert fingerprint([Handle("a")]) == fingerprint([Handle("a")])
    prints = {fingerprint(value) for value in (Handle("a"), Handle("b"), Special("a"), ("a",))}
    assert len(prints) == 4


@pytest.mark.parametrize("kind", [int, object, "Handle"])
def test_what_cannot_be_registered(kind):
    """Scalars are what they are."""
    with pytest.raises(TypeError, match="register_identity"):
        register_identity(kind, str)


# --- circles, sharing, time


def tree(order, children=list):
    """Make a tree with parent pointers, its nodes and sets filled in the order given."""
    nodes = {}
    for number in order:
        nodes[number] = Plain(number=number % 4, parent=None, children=children())
    for number in order:
        if number:
            parent = nodes[(number - 1) // 2]
            nodes[number].parent = parent
            if children is set:
                parent.children.add(nodes[number])
    if children is list:
        for number in range(1, len(nodes)):
            nodes[(number - 1) // 2].children.append(nodes[number])
    return nodes


def test_a_tree_with_parent_pointers():
    """Made in another order, it is the same; another number makes it another."""
    first, second = (tree(order)[0] for order in (range(9), range(8, -1, -1)))
    assert fingerprint(first) == fingerprint(second)
    second.children[1].children[0].number = 7
    assert fingerprint(first) != fingerprint(second)


def test_sets_in_circles():
    """In what order a set is gone through does not count, though it leads back to the set."""
    prints = set()
    for _ in range(5):
        for order in (range(9), list(reversed(range(9)))):
            nodes = tree(order, set)
            prints.add((fingerprint(nodes[0]), fingerprint(set(nodes.values()))))
    assert len(prints) == 1


def test_values_in_a_circle_differ_by_what_they_refer_to():
    """A pair of lists that hold each other is not one that holds itself."""
    a, b = [1], [1]
    a.append(b)
    b.append(a)
    c, d = [1], [2]
    c.append(d)
    d.append(c)
    crossed = [1]
    crossed.append(crossed)
    assert len({fingerprint(v) for v in (a, c, d, crossed, [a], [a, b], [a, a])}) == 7


def elapsed(value):
    start = time.perf_counter()
    fingerprint(value)
    return time.perf_counter() - start


def test_time_is_linear():
    """Nesting, sharing and meshes took exponential time."""
    nested, shared = [1], [1, 2]
    for _ in range(10_000):
        nested = [nested]
    for _ in range(2_000):
        shared = [shared, shared]
    mesh = [Plain() for _ in range(300)]
    for node in mesh:
        node.others = mesh
    assert elapsed(nested) < 2
    assert elapsed(shared) < 2
    assert elapsed(mesh) < 2
    assert elapsed([list(tree(range(3_000)).values())]) < 5


# --- the rest


def test_subclasses_differ_from_what_they_are_made_of():
    """And from each other."""
    kinds = [Words([1]), [1], Table(a=1), {"a": 1}, Kinds([1]), {1}]
    assert len({fingerprint(kind) for kind in kinds}) == len(kinds)


def test_a_cached_property_does_not_count():
    """An object is the same before and after."""

    class Data:
        from functools import cached_property

        def __init__(self):
            self.a = 1

        @cached_property
        def double(self):
            return 2 * self.a

    data = Data()
    before = fingerprint(data)
    assert data.double == 2
    assert fingerprint(data) == before


def test_a_future_counts_as_its_item():
    """A call is the same call before and after its input is there."""
    item = Item(Filestore(), "/a.json")
    assert fingerprint([LocalFuture(3, item=item)]) == fingerprint([item])


def test_items_and_paths_count_relative_to_the_root(tmp_path):
    """Root and project are different places, and what lies outside is absolute."""
    roots = [tmp_path / name for name in "ab"]
    seen = {
        (
            fingerprint(Item(Filestore(), f"{root}/x.json"), (str(root),)),
            fingerprint(root / "x.csv", (str(root),)),
            fingerprint(root, (str(root),)),
        )
        for root in roots
    }
    assert len(seen) == 1
    folders = tuple(map(str, roots))
    places = [roots[0] / "x", roots[1] / "x", tmp_path / "x", tmp_path / "ab/x", Path("x")]
    assert len({fingerprint(place, folders) for place in places}) == len(places)
    remote = Item(Filestore(), "s3://bucket/runs/x.json")
    assert fingerprint(remote, ("s3://bucket/runs",)) == fingerprint(
        Item(Filestore(), "s3://other/x.json"), ("s3://other/",)
    )


def test_the_version_of_a_library_counts(monkeypatch):
    """For types without a form of their own."""
    from prefectx.arguments.identity import objects

    frame = pd.DataFrame({"a": [1]})
    group = frame.groupby("a")
    before = fingerprint(group), fingerprint(frame), fingerprint(Plain())
    monkeypatch.setattr(objects, "library_version", lambda module: "another")
    after = fingerprint(group), fingerprint(frame), fingerprint(Plain())
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_stored_fingerprint_says_what_it_depends_on(monkeypatch):
    """Another scheme, or another version of a library, is unknown: neither same nor different."""
    group = pd.DataFrame({"a": [1]}).groupby("a")
    assert Stamp.of([1]).is_same(Stamp.of([1])) is True
    assert Stamp.of([1]).is_same(Stamp.of([2])) is False
    assert Stamp.of([1]).libraries == ()
    assert Stamp.of(group).libraries == (f"pandas {pd.__version__}",)
    assert Stamp.of(lambda: 1).libraries == (f"Python {sys.version_info[0]}.{sys.version_info[1]}",)
    assert Stamp.of([1])._replace(scheme=2).is_same(Stamp.of([1])) is None
    newer = Stamp.of(group)._replace(libraries=("pandas 99",), digest="0" * 32)
    assert newer.is_same(Stamp.of(group)) is None


def test_the_hash_of_a_call():
    """It has 64 bits, and does not depend on the order of the parameters."""
    assert len(short_hash({"a": 1})) == 16
    assert short_hash({"a": 1, "b": 2}) == short_hash({"b": 2, "a": 1})
    assert short_hash({"a": 1, "b": 2}, ignored=["b"]) == short_hash({"a": 1})
    with pytest.raises(TargetError, match="'b'"):
        short_hash({"a": 1, "b": numbers()})


def test_directory_entries_count_by_their_path(tmp_path):
    """Two of them have no other content."""
    for name in "ab":
        (tmp_path / name).touch()
    with os.scandir(tmp_path) as entries:
        seen = {entry.name: fingerprint(entry) for entry in entries}
    with os.scandir(tmp_path) as entries:
        assert seen == {entry.name: fingerprint(entry) for entry in entries}
    assert seen["a"] != seen["b"]


def test_modules_of_the_same_name_differ():
    """A module counts by its name."""
    assert fingerprint(types) != fingerprint(os)

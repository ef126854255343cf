"""Fingerprints of code: what counts, under which name, the same on every version of Python."""

import functools
import importlib
import math
import subprocess
import sys
import textwrap
import time

import pydantic
import pytest

import prefectx
from prefectx import task
from prefectx.records import code_of

MODULE = """
import functools
import importlib
from dataclasses import dataclass, field
from prefectx import task

LIMIT = 3
LIMITS = {"a": LIMIT * 2}
LIMITS["b"] = 4

def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@dataclass
class Settings:
    size: int = 1
    names: list = field(default_factory=list)

class Base:
    factor = 2
    def value(self):
        return self.factor * LIMIT

class Child(Base):
    @property
    def both(self):
        return super().value()
    @staticmethod
    def plain():
        return helper(1)

@decorated
def helper(x):
    return [y for y in range(x) if y > LIMITS["a"]]

def even(x):
    return x == 0 or odd(x - 1)

def odd(x):
    return x != 0 and even(x - 1)

def unused():
    return 1

@task(retries=2, target="{x}.json")
def work(x, size=LIMIT):
    settings = Settings(size)
    match x:
        case [first, *rest]:
            return f"{first!r:>{size}} {rest}"
        case {"a": value} if (n := value):
            return n
    async def inner():
        async with x as y:
            yield y
    try:
        return Child().both + even(x) + functools.partial(helper, 2)()
    except* ValueError:
        settings = lambda *a, k=1, **b: (a, k, b)
    finally:
        del settings

def factory(n):
    @task(name=f"task-{n}")
    def local(x):
        return x + n + len(helper(x))
    return local

one, two = factory(1), factory(2)
by_name = task(functools.partial(helper, 3), name="by-name")
"""


def load(tmp_path, monkeypatch, text=MODULE, name="of_code"):
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Loads a module as if it was written before the program began."""
    monkeypatch.setattr("prefectx.records.code.loaded.process_start", lambda: math.inf)
    return lambda text=MODULE: load(tmp_path, monkeypatch, text)


NAMES = ("Base", "Child", "LIMIT", "LIMITS", "Settings", "decorated", "even", "helper", "odd")
GOLDEN = "17bd66e1f96cc48099c4fcc87be4ec45"
OTHERS = "cfe86084db9f87c579fe35efacb451e9"


def test_what_a_task_refers_to_has_a_name(module):
    code = code_of(module().work.fn)
    assert sorted(code.symbols) == [f"of_code.{name}" for name in NAMES]
    assert None not in code.symbols.values()
    assert code.sources[code.symbols["of_code.even"]].startswith("def even(x)")


def test_it_is_the_same_on_every_version(module):
    """Who changes how fingerprints are made makes all outputs stale."""
    found = module()
    assert code_of(found.work.fn).digest == GOLDEN
    assert code_of(found.one.fn).digest == OTHERS


def test_a_program_is_what_it_is_as_a_module(module, tmp_path):
    expected = code_of(module().work.fn).digest
    program = MODULE + (
        "\nfrom prefectx.records import code_of\nif __name__ == '__main__':\n"
        "    print(code_of(work.fn).digest)\n"
    )
    (tmp_path / "of_code.py").write_text(program)
    time.sleep(0.1)  # written before the program begins
    said = subprocess.run(
        [sys.executable, "of_code.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == expected


def test_tasks_of_a_factory_differ_by_what_they_enclose(module):
    found = module()
    assert code_of(found.one.fn).own != code_of(found.two.fn).own
    assert code_of(found.one.fn).symbols == code_of(found.two.fn).symbols


CHANGES = {
    "a constant": ("LIMIT = 3", "LIMIT = 4", "LIMIT"),
    "a constant that is changed later": ('LIMITS["b"] = 4', 'LIMITS["b"] = 5', "LIMITS"),
    "a decorator": ("return function(*args)", "return function(*args) or 0", "decorated"),
    "what it decorates": ("if y > LIMITS", "if y >= LIMITS", "helper"),
    "a field": ("size: int = 1", "size: int = 2", "Settings"),
    "a field that is gone": ("    names: list = field(default_factory=list)\n", "", "Settings"),
    "an inherited attribute": ("factor = 2", "factor = 3", "Base"),
    "a method": ("return super().value()", "return -super().value()", "Child"),
    "a recursion": ("return x != 0 and", "return x > 0 and", "odd"),
    "the task": ("Child().both + even(x)", "Child().both - even(x)", ""),
    "no decorator": ("@decorated\ndef helper", "def helper", "helper"),
    "another base": ("class Child(Base):", "class Child(Base, object):", "Child"),
    "a class decorator": ("@dataclass\n", "@dataclass(frozen=True)\n", "Settings"),
    "no property": ("    @property\n    def both", "    def both", "Child"),
    "a default": ("size=LIMIT):", "size=LIMIT + 1):", ""),
}
NO_CHANGES = {
    "a comment": ("LIMIT = 3", "LIMIT = 3  # three\n\n"),
    "an option": ("@task(retries=2, ", "@task(retries=3, "),
    "a docstring": ("def odd(x):", 'def odd(x):\n    """Tell."""'),
    "an annotation": ("def odd(x):", "def odd(x: int) -> bool:"),
    "an annotated constant": ("LIMIT = 3", "LIMIT: int = 3"),
    "a form": ("return x != 0 and even(x - 1)", "return (\n        x != 0 and even( x-1 ,)\n    )"),
    "what is unused": ("def unused():\n    return 1", "def unused():\n    return 2"),
    "something new": ("def unused():", "def new():\n    return LIMIT\n\ndef unused():"),
}


def edited(text, old, new):
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named(name, module):
    old, new, symbol = CHANGES[name]
    before, after = (code_of(module(t).work.fn) for t in (MODULE, edited(MODULE, old, new)))
    parts = [{**code.symbols, "": code.own} for code in (before, after)]
    changed = [k for k in parts[0] if parts[0][k] != parts[1].get(k, parts[0][k])]
    assert changed == [f"of_code.{symbol}" if symbol else ""]


@pytest.mark.parametrize("name", NO_CHANGES)
def test_what_changes_nothing(name, module):
    old, new = NO_CHANGES[name]
    before, after = (code_of(module(t).work.fn) for t in (MODULE, edited(MODULE, old, new)))
    assert before.digest == after.digest


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_after_it_was_loaded_is_unknown(name, tmp_path, monkeypatch):
    """The function runs as it was loaded: nothing else may stand in its record."""
    old, new, symbol = CHANGES[name]
    found = load(tmp_path, monkeypatch)
    (tmp_path / "of_code.py").write_text(edited(MODULE, old, new))
    code = code_of(found.work.fn)
    symbols = {**code.symbols, "": code.own}
    assert symbols[f"of_code.{symbol}" if symbol else ""] is None
    assert symbols["of_code.even"] is not None


def test_modules_that_import_each_other(tmp_path, monkeypatch):
    (tmp_path / "first_of_two.py").write_text(
        "import second_of_two as s\nfrom prefectx import task\nSIZE = 1\n"
        "@task\ndef work(x):\n    return s.twice(x)\n"
    )
    second = "import first_of_two\ndef twice(x):\n    return 2 * x * first_of_two.SIZE\n"
    found = {}
    for factor in (1, 2):
        (tmp_path / "second_of_two.py").write_text(second.replace("2 *", f"{factor} *"))
        monkeypatch.delitem(sys.modules, "second_of_two", raising=False)
        text = (tmp_path / "first_of_two.py").read_text()
        loaded = load(tmp_path, monkeypatch, text, "first_of_two")
        found[factor] = code_of(loaded.work.fn).symbols
    assert found[1].keys() == {"second_of_two.twice", "first_of_two.SIZE"} == found[2].keys()
    assert found[1]["second_of_two.twice"] != found[2]["second_of_two.twice"]


def test_a_function_without_source_is_known_by_its_bytecode():
    namespace = {"__name__": "nowhere"}
    exec("LIMIT = 2\ndef one(x):\n    return x + LIMIT\n", namespace)
    first = code_of(namespace["one"])
    exec("LIMIT = 3\ndef one(x):\n    return x + LIMIT\n", namespace)
    assert first.own is not None
    assert first.own != code_of(namespace["one"]).own


def test_functions_with_one_code_differ_by_what_they_enclose():
    """Two closures of one factory inside a third: each counts."""

    def made(n):
        return lambda x: x + n

    def both(first, second):
        return lambda x: first(x) + second(x)

    assert code_of(both(made(1), made(2))).own != code_of(both(made(1), made(3))).own


def test_a_value_of_a_notebook_counts_as_it_is_when_the_task_is_called(tmp_path):
    """A function without a module has no source that would say what its globals are."""
    namespace = {"__name__": "nowhere", "task": task}
    exec("LIMIT = 2\n@task(target='{x}.json', stale='rerun')\ndef one(x):\n    return x + LIMIT",
         namespace)  # fmt: skip
    with prefectx.override(mode="cache", root=tmp_path):
        assert namespace["one"](1).load() == 3
        namespace["LIMIT"] = 5
        assert namespace["one"](1).load() == 6


def test_a_function_of_a_notebook_that_is_defined_anew_counts(tmp_path):
    namespace = {"__name__": "nowhere", "task": task}
    exec("def two():\n    return 2\n@task(target='{x}.json', stale='rerun')\n"
         "def one(x):\n    return x + two()", namespace)  # fmt: skip
    with prefectx.override(mode="cache", root=tmp_path):
        assert namespace["one"](1).load() == 3
        exec("def two():\n    return 3", namespace)
        made = namespace["one"](1)
        assert made.load() == 4
        before = made.info()
        exec("def two():\n    return 3", namespace)  # the same once more
        assert namespace["one"](1).info() == before


def test_functions_of_libraries_are_known_by_their_names():
    """Their versions are no change of the code, and their sources are not read."""
    methods = (pydantic.BaseModel.model_dump, functools.partial(pydantic.create_model, "A"))
    for function in (textwrap.dedent, len, str.upper, subprocess.run, *methods):
        code = code_of(function)
        assert code.own is not None
        assert not code.symbols

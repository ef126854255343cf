"""What runs again after a change, what is told, and what is refused."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.records import project
from tests.records.project import replace, run

ALL = ("clean a", "clean b", "report", "total")


class Situation(NamedTuple):
    """A change and what it means.

    Attributes:
        change: makes it in the project's folder.
        rerun: the calls that run with `stale = "rerun"`.
        told: what `warn` says, by task; a part of each cause.
        refused: whether it is an error by default.
    """

    change: object
    rerun: tuple[str, ...] = ()
    told: Mapping[str, list[str]] = MappingProxyType({})
    refused: bool = False


def touch(folder):
    for name in ("raw/a.txt", "params.yml", "helpers.py", "working/total.json"):
        os.utime(folder / name, (1, 1))


def copied(folder):
    for path in folder.rglob("*.txt"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)


def text(name, old, new):
    return lambda folder: replace(folder, name, old, new)


def unrelated(folder):
    replace(folder, "helpers.py", "return 1\n", "return 2\n\ndef more():\n    return RATE\n")
    replace(folder, "deep/__init__.py", "def starred", "other = 3\n\ndef starred")


def incidental(folder):
    replace(
        folder,
        "helpers.py",
        "def scaled(number):",
        'def scaled(number: "int") -> int:\n    """Scale."""',
    )
    replace(folder, "deep/inner.py", "def again(number):", "# comment\ndef again( number, ):")
    replace(
        folder,
        "pipeline.py",
        "def total(parts, offset=0):",
        "def total(parts: list, offset: int = 0):",
    )
    replace(
        folder,
        "pipeline.py",
        'target="working/total.json", files',
        'retries=2, target="working/total.json", files',
    )


def deleted(name):
    return lambda folder: (folder / name).unlink()


def edited(folder):
    (folder / "working/total.json").write_text("[7]")


def moved_task(folder):
    """`total` moves to another module."""
    source = (folder / "pipeline.py").read_text()
    begin, end = (
        source.index('@task(target="working/total'),
        source.index('@task(target="working/report'),
    )
    head = "import os\nfrom helpers import Adder as Add\nfrom prefectx import task\n"
    ran = source[source.index("def ran") : source.index("@task(target=")]
    (folder / "totals.py").write_text(head + ran + source[begin:end])
    (folder / "pipeline.py").write_text(
        source[:begin] + "from totals import total\n\n" + source[end:]
    )


def renamed_task(folder):
    path = folder / "pipeline.py"
    path.write_text(
        path.read_text()
        .replace("def total(", "def add_up(")
        .replace("total.submit", "add_up.submit")
    )


def other_function(folder):
    replace(
        folder,
        "pipeline.py",
        "@flow\n",
        '@task(target="working/total.json")\ndef second(parts):\n    return 0\n\n@flow\n',
    )
    replace(folder, "pipeline.py", "total.submit(parts)", "second.submit(parts)")


def moved_root(folder):
    pass  # the project of every test was copied from where it ran


INPUT = {"total": ["an input was made anew: working/clean/a.json"]}
SITUATIONS = {
    "nothing": Situation(lambda folder: None),
    "touched": Situation(touch),
    "copied": Situation(copied),
    "a file": Situation(
        text("raw/a.txt", "1", "10"),
        (
            "clean a",
            "report",
            "total",
        ),
        {"clean": ["raw/a.txt changed"]},
    ),
    "a named file": Situation(
        text("params.yml", "3", "4"), ("total",), {"total": ["params.yml changed"]}
    ),
    "a file that is gone": Situation(
        deleted("params.yml"), ("total",), {"total": ["params.yml is gone"]}
    ),
    "the task": Situation(
        text("pipeline.py", "+ offset\n", "- offset\n"),
        ("total",),
        {"total": ["the code of total changed"]},
    ),
    "a helper behind a decorator": Situation(
        text("helpers.py", "* TABLE", "* 1 * TABLE"),
        (
            "clean a",
            "clean b",
        ),
        {"clean": ["the code of helpers.scaled changed"]},
    ),
    "the decorator": Situation(
        text("helpers.py", "return function(*args)", "return function(*list(args))"),
        (
            "clean a",
            "clean b",
        ),
        {"clean": ["helpers.logged"]},
    ),
    "two modules away": Situation(
        text("deep/inner.py", "return base(number)", "return base(number) + 0"),
        (
            "clean a",
            "clean b",
        ),
        {"clean": ["deep.inner.again"]},
    ),
    "a constant": Situation(
        text("helpers.py", "RATE = 2", "RATE = 5"), ALL, {"clean": ["helpers.RATE"]}
    ),
    "an inherited method": Situation(
        text("helpers.py", "return number + 1", "return number + 2"),
        (
            "report",
            "total",
        ),
        {"total": ["helpers.Base"]},
    ),
    "through a star": Situation(
        text("deep/__init__.py", "0 * number", "number"),
        (
            "report",
            "total",
        ),
        {"total": ["deep.starred"]},
    ),
    "incidental": Situation(incidental),
    "unrelated": Situation(unrelated),
    "a default": Situation(
        text("pipeline.py", "offset=0", "offset=1"),
        (
            "report",
            "total",
        ),
        {"total": ["the default of 'offset' changed: 0 is now 1"]},
    ),
    "a parameter added": Situation(
        text("pipeline.py", "offset=0", "offset=0, more=None"),
        ("total",),
        {"total": ["'more' is new"]},
    ),
    "an argument": Situation(
        text("pipeline.py", '"sales"', '"costs"'),
        ("report",),
        {},
        refused=True,
    ),
    "another input": Situation(
        lambda folder: (folder / "raw/c.txt").write_text("4"),
        (
            "clean c",
            "report",
            "total",
        ),
        {"total": ["'parts' had 2 inputs, and has 3"]},
    ),
    "an input that comes back the same": Situation(deleted("working/clean/a.json"), ("clean a",)),
    "edited": Situation(
        edited, ("report",), {"total": ["edited"], "report": ["made anew: working/total.json"]}
    ),
    "the root moved": Situation(moved_root),
    "the task moved": Situation(moved_task),
    "the task renamed": Situation(renamed_task),
    "another function": Situation(other_function, ("report",), {}, refused=True),
    "no records": Situation(lambda folder: shutil.rmtree(folder / ".prefectx")),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The project after a first run, whose files are old enough to be trusted."""
    folder = tmp_path_factory.mktemp("finished")
    project.write(folder)
    first = run(folder)
    assert first.ran == list(ALL), first.output
    return folder, first.result


@pytest.fixture
def folder(finished, tmp_path):
    place = tmp_path / "project"
    shutil.copytree(finished[0], place)
    return place


def from_scratch(folder: Path) -> object:
    place = folder.parent / "scratch"
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("working", ".prefectx"))
    return run(place).result


@pytest.mark.parametrize("name", SITUATIONS)
def test_rerun(name, folder):
    """With `rerun` the results are those of a run from scratch, and nothing runs without need."""
    change, expected, *_ = SITUATIONS[name]
    change(folder)
    again = run(folder, PREFECTX_STALE="rerun")
    assert again.ran == sorted(expected), again.output
    last = run(folder, PREFECTX_STALE="rerun")
    assert last.ran == [], last.output
    if name not in ("edited", "no records"):
        assert last.result == from_scratch(folder)


@pytest.mark.parametrize("name", SITUATIONS)
def test_warn(name, folder, finished):
    """By default existing outputs stay; what is stale is told, another call is refused."""
    change, _, told, refused = SITUATIONS[name]
    change(folder)
    again = run(folder)
    if refused:
        assert again.error == "TargetError", again.output
        return
    for task, parts in told.items():
        for part in parts:
            assert any(part in cause for cause in again.stale[task]), again.stale
    assert again.stale.keys() == told.keys(), again.output
    if "input" not in name and name != "edited":
        assert again.result == finished[1]
    if told:
        assert "stale output" in again.output


@pytest.mark.parametrize("name", SITUATIONS)
def test_error(name, folder):
    """With `error` the first stale output ends the run, which names it and the cause."""
    change, _, told, refused = SITUATIONS[name]
    change(folder)
    again = run(folder, PREFECTX_STALE="error")
    if not told and not refused:
        assert again.error is None, again.output
        return
    assert again.error == ("TargetError" if refused else "StaleError"), again.output
    if told:
        task, parts = next(iter(told.items()))
        assert f"task {task!r}" in again.message
        assert parts[0] in again.message
    assert again.ran in ([], ["clean c"])

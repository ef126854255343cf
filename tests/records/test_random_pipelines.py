"""Random pipelines, random changes: results equal those from scratch, nothing runs without need."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings, strategies
from hypothesis.strategies import SearchStrategy

import prefectx
from tests.records.log import LOG

EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
MODULES = ("random_tasks", "random_helpers", "random_constants")

# What the parts of a task may be; each is a change of its code, or of what it reads.
BODIES = ("sum(inputs) + step", "sum(inputs) * 2 + step", "sum(inputs) - step")
HELPERS = ("return {i} + CONSTANT_{i}", "return {i} - CONSTANT_{i}", "return CONSTANT_{i}")
NAMES = ("body", "helper", "constant", "file", "argument")

graphs: SearchStrategy[list[list[int]]] = strategies.integers(2, 6).flatmap(
    lambda size: strategies.tuples(
        *(strategies.lists(strategies.integers(0, i - 1), max_size=3, unique=True) if i else
          strategies.just([]) for i in range(size))
    ).map(list)
)  # fmt: skip
changes = strategies.lists(
    strategies.tuples(
        strategies.sampled_from((*NAMES, "delete", "edit", "touch", "comment", "rewrite", "again")),
        strategies.integers(0, 5),
        strategies.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)


class Pipeline:
    """A pipeline in files, and a model of what its outputs are made from.

    Parameters:
        folder: where the files are.
        graph: of each task the earlier tasks whose outputs it takes.
        returned: what the flow returns.
    """

    def __init__(
        self, folder: Path, graph: list[list[int]], returned: str = "[load(x) for x in f]"
    ) -> None:
        self.folder = folder
        self.returned = returned
        self.graph = graph
        self.parts = [dict.fromkeys(NAMES, 0) for _ in graph]
        self.made: dict[int, object] = {}
        self.values: dict[int, int] = {}
        self.edited: set[int] = set()
        self.comments = 0
        self.clock = 0

    def change(self, kind: str, number: int, value: int) -> None:
        i = number % len(self.graph)
        output = self.folder / f"out/{i}.json"
        raw = self.folder / f"raw/{i}.txt"
        if kind in NAMES:
            self.parts[i][kind] = value
        elif kind == "delete":
            output.unlink(missing_ok=True)
            self.made.pop(i, None)
            self.edited.discard(i)
        elif kind == "edit" and output.exists():
            value += 5  # no task gives that: an earlier output put back is no edit
            prefectx.Filestore(fsync=False).save(str(output), value)
            self.values[i] = value
            self.edited.add(i)
        elif kind == "touch" and output.exists():
            self.clock += 1
            os.utime(output, (self.clock, self.clock))
        elif kind == "rewrite" and raw.exists():
            raw.unlink()
        elif kind == "comment":
            self.comments += 1
        self.write()

    def write(self) -> None:
        """Write the files of the pipeline as its parts say."""
        (self.folder / "raw").mkdir(exist_ok=True)
        tasks = [
            "import pathlib",
            "import random_helpers as h",
            "from tests.records.log import ran",
            "from prefectx import flow, load, task",
        ]
        helpers, constants = ["from random_constants import *"], []
        calls = []
        for i, part in enumerate(self.parts):
            raw = self.folder / f"raw/{i}.txt"
            if not raw.exists() or raw.read_text() != str(part["file"]):
                raw.write_text(str(part["file"]))
            tasks.append(
                f'@task(target="out/{i}.json")\n'
                f"def task_{i}(inputs, path: pathlib.Path, step):\n"
                f"    {'# ' * self.comments}\n    ran({i})\n"
                f"    found = {BODIES[part['body']]} + h.helper_{i}()\n"
                f"    return (found + int(path.read_text())) % 5\n"
            )
            helpers.append(f"def helper_{i}():\n    {HELPERS[part['helper']].format(i=i)}\n")
            constants.append(f"CONSTANT_{i} = {part['constant']} + 1")
            inputs = ", ".join(f"f[{j}]" for j in self.graph[i])
            calls.append(
                f"    f.append(task_{i}.submit([{inputs}], FOLDER / 'raw/{i}.txt',"
                f" {part['argument']}))"
            )
        tasks += [
            f"FOLDER = pathlib.Path({str(self.folder)!r})",
            "@flow\ndef pipeline():\n    f = []",
            *calls,
            f"    return {self.returned}",
        ]
        for name, lines in zip(MODULES, (tasks, helpers, constants), strict=True):
            path = self.folder / f"{name}.py"
            text = "\n".join(lines)
            if not path.exists() or path.read_text() != text:
                path.unlink(missing_ok=True)
                path.write_text(text)

    def expected(self) -> tuple[list[int], list[int]]:
        """Return which tasks have to run, and the results; take note that they ran."""
        ran = []
        for i, part in enumerate(self.parts):
            inputs = [self.values[j] for j in self.graph[i]]
            recipe = (tuple(part.items()), tuple(inputs))
            if self.made.get(i) != recipe and i not in self.edited:
                ran.append(i)
                self.made[i] = recipe
                self.values[i] = self.value(part, i, inputs)
        return ran, [self.values[i] for i in range(len(self.graph))]

    @staticmethod
    def value(part: dict[str, int], i: int, inputs: list[int]) -> int:
        step, constant = part["argument"], part["constant"] + 1
        body = (sum(inputs) + step, sum(inputs) * 2 + step, sum(inputs) - step)[part["body"]]
        helper = (i + constant, i - constant, constant)[part["helper"]]
        return (body + helper + part["file"]) % 5


def load_module(folder: Path) -> ModuleType:
    """Import the pipeline anew, as a new process would."""
    for name in MODULES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    old, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module("random_tasks")
    finally:
        sys.dont_write_bytecode = old
        sys.path.remove(str(folder))


@pytest.mark.parametrize("runner", ["inline", "threads"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(graph=graphs, changes=strategies.lists(changes, min_size=1, max_size=5))
def test_after_any_change_the_results_are_those_from_scratch(
    runner, graph, changes, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("pipeline")
    pipeline = Pipeline(folder, graph)
    pipeline.write()
    for step in [[], *changes]:
        for change in step:
            pipeline.change(*change)
        prefectx.testing.reset()
        with prefectx.override(
            mode="cache", root=folder, stale="rerun", fsync=False, progress=False,
            runner={"type": runner},
        ):  # fmt: skip
            LOG.clear()
            results = load_module(folder).pipeline()
        ran, values = pipeline.expected()
        assert (sorted(LOG), results) == (ran, values)

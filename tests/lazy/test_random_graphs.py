"""Random graphs with lazy and temporary tasks: what is needed runs, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

import prefectx
from prefectx import Future, flow, load, task, unmapped

EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
KINDS = ("normal", "lazy", "temporary")
RAN: list[int] = []

nodes = strategies.integers(2, 7).flatmap(
    lambda size: strategies.tuples(
        *(
            strategies.tuples(
                strategies.lists(strategies.integers(0, max(i - 1, 0)), max_size=3, unique=True)
                if i
                else strategies.just([]),
                strategies.sampled_from(KINDS),
                strategies.sampled_from(["list", "dict", "wait_for", "item", "map"]),
            )
            for i in range(size)
        )
    )
)
damages = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(["delete", "source"]), strategies.integers(0, 6)
    ),
    max_size=4,
)  # fmt: skip


def fill(number, inputs, source):
    RAN.append(number)
    return (sum(inputs) * 3 + number + json.loads(Path(source).read_text())) % 101


@task(target="out/{number}.json", files=["{source}"])
def node(number, inputs, source):
    return fill(number, inputs, source)


@task(target="out/{number}.json", files=["{source}"])
def node_of_dict(number, inputs, source):
    return fill(number, list(inputs.values()), source)


class Oracle:
    """What a run has to do: from the graph, the values of sources and what is on disk."""

    def __init__(self, graph) -> None:
        self.graph = graph
        self.sources = dict.fromkeys(range(len(graph)), 0)
        self.made: dict[int, object] = {}  # what the output was made from, as its record says
        self.values: dict[int, int] = {}
        self.disk: set[int] = set()

    def inputs(self, i):
        return [self.values.get(j) for j in self.graph[i][0]]

    def run(self) -> list[int]:
        ran: list[int] = []

        def recipe(i):
            return (self.sources[i], tuple(self.inputs(i)))

        changed: dict[int, bool] = {}

        def execute(i):
            for j in self.graph[i][0]:
                need(j)
            ran.append(i)
            self.values[i] = (sum(self.inputs(i)) * 3 + i + self.sources[i]) % 101
            self.made[i] = recipe(i)
            self.disk.add(i)
            changed[i] = False

        def need(i):
            """Something that runs needs this output."""
            if i in pending:
                pending.discard(i)
                execute(i)

        pending: set[int] = set()
        for i, (parents, kind, _) in enumerate(self.graph):
            open_parents = [j for j in parents if j in pending and changed[j]]
            if i in self.disk and i in self.made:
                if open_parents:  # whether it is stale is known when they are made
                    if kind != "normal":
                        pending.add(i)
                        changed[i] = True
                        continue
                    for j in parents:
                        need(j)
                is_stale = self.made[i] != recipe(i)
                if not is_stale:
                    changed[i] = False
                    continue
            if kind == "normal":
                execute(i)
            else:
                pending.add(i)
                stale = self.made.get(i) != recipe(i) or bool(open_parents)
                changed[i] = i in self.made and stale
        self.pending = pending
        for i, (_, kind, _) in enumerate(self.graph):
            if kind == "temporary":
                self.disk.discard(i)
        return ran


def build(graph, folder):
    def tasks(i):
        _, kind, form = graph[i]
        options = {} if kind == "normal" else {kind: True}
        return (node_of_dict if form == "dict" else node).with_options(**options)

    @flow
    def pipeline():
        futures = []
        for i, (parents, _, form) in enumerate(graph):
            source = str(folder / f"source/{i}.json")
            given = [futures[j] for j in parents]
            if form == "dict":
                futures.append(tasks(i).submit(i, {str(n): f for n, f in enumerate(given)}, source))
            elif form == "item":
                futures.append(tasks(i)(i, given, source))
            elif form == "map":
                futures += tasks(i).map([i], unmapped(given), unmapped(source))
            elif form == "wait_for":
                others = [each for each in given if isinstance(each, Future)]
                futures.append(tasks(i).submit(i, given, source, wait_for=others))
            else:
                futures.append(tasks(i).submit(i, given, source))
        return

    return pipeline


def check(graph, rounds, folder, **options):
    oracle = Oracle(graph)
    (folder / "source").mkdir()
    for damage in [[], *rounds]:
        for kind, number in damage:
            i = number % len(graph)
            if kind == "delete":
                (folder / f"out/{i}.json").unlink(missing_ok=True)
                oracle.disk.discard(i)
            else:
                oracle.sources[i] += 1
        for i, value in oracle.sources.items():
            path = folder / f"source/{i}.json"
            if not path.exists() or path.read_text() != str(value):
                path.unlink(missing_ok=True)
                path.write_text(str(value))
        prefectx.testing.reset()
        RAN.clear()
        with prefectx.override(
            root=folder, stale={"files": "rerun", "inputs": "rerun", "code": "ignore"},
            fsync=False, progress=False, **options,
        ):  # fmt: skip
            pipeline = build(graph, folder)
            plan = prefectx.plan(pipeline)
            assert RAN == []
            pipeline()
        assert plan.complete
        status = {int(Path(str(call.location)).stem): call.status for call in plan.calls}
        sure = {i for i, each in status.items() if each == "run"}
        assert sure <= set(RAN) <= {i for i, each in status.items() if each != "finished"}
        expected = oracle.run()
        assert sorted(RAN) == sorted(expected)
        disk = {int(path.stem) for path in folder.glob("out/*.json")}
        assert disk == oracle.disk
        for i in disk - oracle.pending:
            found = load(prefectx.Item(prefectx.Filestore(), str(folder / f"out/{i}.json")))
            assert found == oracle.values[i]


@pytest.mark.parametrize("runner", ["inline", "threads"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(graph=nodes, rounds=strategies.lists(damages, max_size=3))
def test_what_is_needed_runs_and_nothing_else(runner, graph, rounds, tmp_path_factory):
    check(graph, rounds, tmp_path_factory.mktemp("lazy"), mode="cache", runner={"type": runner})


@pytest.mark.prefect
@pytest.mark.parametrize("mode", ["prefect.skiptask", "prefect.cachetask"])
@settings(max_examples=max(EXAMPLES // 10, 3), deadline=None)
@given(graph=nodes, rounds=strategies.lists(damages, max_size=2))
def test_what_is_needed_runs_and_nothing_else_on_prefect(
    mode, graph, rounds, tmp_path_factory, prefect_api
):
    from prefect.settings import temporary_settings

    with temporary_settings({"api.url": prefect_api}):
        check(graph, rounds, tmp_path_factory.mktemp("lazy"), mode=mode)

"""A run right after a plan runs what the plan says: random pipelines, random changes."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

import prefectx
from tests.records.log import LOG
from tests.records.test_random_pipelines import Pipeline, changes, graphs, load_module

EXAMPLES = int(os.environ.get("EXAMPLES", "25"))
STALE = ["warn", "rerun", {"inputs": "rerun"}, {"code": "rerun"}, {"files": "rerun"}, "ignore"]


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def check(mode, runner, graph, changes, stale, keep, folder) -> None:
    # Whose argument changed under one target is an error that ends the flow, as it should be.
    reaction = {"arguments": "warn", **stale} if isinstance(stale, dict) else stale
    if reaction == "warn":
        reaction = {"arguments": "warn"}
    pipeline = Pipeline(folder, graph, returned="f")
    pipeline.write()
    pipeline.values = dict.fromkeys(range(len(graph)), 0)
    for step in [[], *changes]:
        for change in step:
            pipeline.change(*change)
        prefectx.testing.reset()
        with prefectx.override(
            mode=mode, root=folder, stale=reaction, fsync=False, progress=False, keep=keep,
            runner={"type": runner},
        ):  # fmt: skip
            LOG.clear()
            module = load_module(folder)
            before = files_of(folder)
            plan = prefectx.plan(module.pipeline)
            assert files_of(folder) == before
            assert LOG == []
            assert plan.complete
            module.pipeline()
        status = {int(Path(call.location).stem): call.status for call in plan.calls}
        assert sorted(status) == list(range(len(graph)))
        sure = {number for number, each in status.items() if each == "run"}
        possible = {number for number, each in status.items() if each != "finished"}
        assert sure <= set(LOG) <= possible, (status, sorted(LOG))
        assert len(LOG) == len(set(LOG))


drawn = given(
    graph=graphs,
    changes=strategies.lists(changes, min_size=1, max_size=4),
    stale=strategies.sampled_from(STALE),
    keep=strategies.sampled_from([0, 0, 2]),
)


@pytest.mark.parametrize("runner", ["inline", "threads"])
@settings(max_examples=EXAMPLES, deadline=None)
@drawn
def test_a_run_after_a_plan_runs_what_it_says(
    runner, graph, changes, stale, keep, tmp_path_factory
):
    check("cache", runner, graph, changes, stale, keep, tmp_path_factory.mktemp("plan"))


@pytest.mark.prefect
@pytest.mark.parametrize("mode", ["prefect.skiptask", "prefect.cachetask"])
@settings(max_examples=max(EXAMPLES // 8, 3), deadline=None)
@drawn
def test_a_run_after_a_plan_runs_what_it_says_on_prefect(
    mode, graph, changes, stale, keep, tmp_path_factory, prefect_api
):
    from prefect.settings import temporary_settings

    with temporary_settings({"api.url": prefect_api}):
        check(mode, "threads", graph, changes, stale, keep, tmp_path_factory.mktemp("plan"))

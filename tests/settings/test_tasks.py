"""One task's settings: exact names, patterns, profiles, the switch, tables key by key."""

import pytest

from prefectx import settings


def test_the_exact_name_comes_before_a_pattern(configure):
    configure("""
        [tasks.load_raw]
        target = "exact"
        [tasks."load_*"]
        target = "pattern"
    """)
    assert settings.current().options("load_raw").target == "exact"
    assert settings.current().options("load_all").target == "pattern"
    assert settings.current().options("unload_all").target == "working/{funcname}/{base}"


def test_of_two_patterns_the_later_one_wins(configure):
    configure("""
        [tasks."*"]
        save = false
        target = "any"
        [tasks."load_*"]
        target = "load"
    """)
    options = settings.current().options("load_raw")
    assert (options.target, options.save) == ("load", False)


def test_a_pattern_in_the_profile_beats_a_name_in_the_file(configure):
    configure("""
        profile = "quick"
        [tasks.clean]
        refresh = true
        save = false
        [profiles.quick.tasks."*"]
        refresh = false
    """)
    options = settings.current().options("clean")
    assert (options.refresh, options.save) == (False, False)


def test_tables_merge_key_by_key(configure, monkeypatch):
    monkeypatch.setenv("PREFECTX_CONTEXT__REGION", "north")
    configure("""
        [context]
        year = 2024
        region = "south"
        [dask]
        memory = "1GB"
        priority = 1
        [tasks.clean]
        context = { year = 2025, deep = { a = 1 } }
        dask = { priority = 2 }
    """)
    options = settings.current().options("clean", {"context": {"deep": {"b": 2}}})
    assert options.context == {"year": 2025, "region": "north", "deep": {"a": 1, "b": 2}}
    assert (options.dask.memory, options.dask.priority) == (10**9, 2)


def test_the_size_of_the_cluster_is_not_what_a_task_asks_for(configure):
    configure("""
        [dask]
        workers = 4
        resources = { GPU = 1 }
        [tasks.clean]
        dask = { resources = { GPU = 0.5 } }
    """)
    project = settings.current().project
    assert (project.dask.workers, project.dask.resources) == (4, {"GPU": 1})
    clean, other = (settings.current().options(name).dask for name in ("clean", "other"))
    assert (clean.workers, clean.resources) == (None, {"GPU": 0.5})
    assert (other.workers, other.resources) == (None, {})


SWITCH = "PREFECTX"
FOR_THE_TASK = "PREFECTX_TASKS__CLEAN__MODE"
MODE_EVERYWHERE = """
    mode = "prefect"
    profile = "p"
    [tasks.clean]
    mode = "prefect"
    [profiles.p]
    mode = "prefect"
    [profiles.p.tasks.clean]
    mode = "prefect"
"""


def test_the_switch_beats_every_other_mode(configure, monkeypatch):
    monkeypatch.setenv(SWITCH, "cache")
    configure(MODE_EVERYWHERE)
    assert settings.current().project.mode == "cache"
    assert settings.current().options("clean", {"mode": "prefect"}).mode == "cache"


def test_but_not_the_variable_of_a_task(configure, monkeypatch):
    monkeypatch.setenv(SWITCH, "cache")
    monkeypatch.setenv(FOR_THE_TASK, "function")
    configure(MODE_EVERYWHERE)
    assert settings.current().options("clean").mode == "function"
    assert settings.current().options("other").mode == "cache"


def test_nor_an_override(configure, monkeypatch):
    monkeypatch.setenv(SWITCH, "cache")
    monkeypatch.setenv(FOR_THE_TASK, "cache")
    configure(MODE_EVERYWHERE)
    with settings.override(mode="function"):
        assert settings.current().project.mode == "function"
        assert settings.current().options("clean").mode == "function"


@pytest.mark.parametrize(
    ("task", "variable"),
    [
        ("clean", "PREFECTX_TASKS__CLEAN__TARGET"),
        ("Clean", "PREFECTX_TASKS__CLEAN__TARGET"),
        ("clean-all", "PREFECTX_TASKS__CLEAN_ALL__TARGET"),
        ("clean.all", "PREFECTX_TASKS__CLEAN_ALL__TARGET"),
        ("clean all", "PREFECTX_TASKS__CLEAN_ALL__TARGET"),
        ("_clean", "PREFECTX_TASKS___CLEAN__TARGET"),
        ("clean_", "PREFECTX_TASKS__CLEAN___TARGET"),
        ("clean__all", "PREFECTX_TASKS__CLEAN__ALL__TARGET"),
        ("target", "PREFECTX_TASKS__TARGET__TARGET"),
        ("größe", "PREFECTX_TASKS__GR__E__TARGET"),
        ("clean", "PREFECTX_tasks__clean__target"),
    ],
)
def test_names_of_tasks_in_variables(task, variable, monkeypatch):
    monkeypatch.setenv(variable, "here")
    assert settings.current().options(task).target == "here"


def test_a_variable_reaches_into_the_tables_of_a_task(monkeypatch):
    monkeypatch.setenv("PREFECTX_TASKS__CLEAN__DASK__MEMORY", "2GB")
    monkeypatch.setenv("PREFECTX_TASKS__CLEAN__CONTEXT__YEAR", "2024")
    options = settings.current().options("clean")
    assert options.dask.memory == 2_000_000_000
    assert options.context == {"year": "2024"}


def test_resolving_again_gives_the_same_object():
    keywords = {"target": "x"}
    first = settings.current().options("clean", keywords)
    assert settings.current().options("clean", keywords) is first
    assert settings.current().options("clean", {"target": "y"}).target == "y"

"""Why is it set to that? Every value knows its layer, and the file's line."""

import pytest

from prefectx import settings
from prefectx.settings.messages.positions import find_positions

TEXT = """\
mode = "cache"
profile = "p"

[tasks.clean]
target = "a"
dask = { memory = "2GB",
         priority = 3 }

[tasks."cl*"]
save = false

[profiles.p.keepalive]
interval = "5s"
"""


@pytest.fixture
def options(configure, monkeypatch):
    monkeypatch.setenv("PREFECTX_REFRESH", "true")
    monkeypatch.setenv("PREFECTX_TASKS__CLEAN__DASK__TRIM", "false")
    configure(TEXT)
    with settings.override(context={"year": 2024}):
        return settings.current().options("clean", {"format": "json", "target": "b"})


@pytest.mark.parametrize(
    ("key", "layer", "where"),
    [
        ("store", "default", ""),
        ("mode", "file", "prefectx.toml:1"),
        ("keepalive.interval", "profile", "prefectx.toml:13"),
        ("refresh", "environment", "PREFECTX_REFRESH"),
        ("format", "code", "@task clean"),
        ("target", "file, for the task", "prefectx.toml:5"),
        ("dask.priority", "file, for the task", "prefectx.toml:7"),
        ("save", "file, for the task", "prefectx.toml:10"),
        ("dask.trim", "environment, for the task", "PREFECTX_TASKS__CLEAN__DASK__TRIM"),
        ("context.year", "override", "override()"),
    ],
)
def test_where_a_value_came_from(options, key, layer, where):
    assert options.sources[key] == (layer, where)
    assert layer in settings.LAYERS


def test_what_a_value_outranked(options):
    assert [(s.value, s.source.where) for s in options.history["target"]] == [
        ("a", "prefectx.toml:5"),
        ("b", "@task clean"),
        ("working/{funcname}/{base}", ""),
    ]


def test_the_switch_is_named(monkeypatch):
    monkeypatch.setenv("PREFECTX", "cache")
    assert settings.current().project.sources["mode"] == ("environment", "PREFECTX")


def test_every_key_has_a_source():
    project = settings.current().project
    assert set(project.sources) == set(project.history)
    assert {source.layer for source in project.sources.values()} == {"default"}
    assert project.sources["root"] == ("default", "")


def test_positions_of_all_that_toml_can_write():
    text = (
        '# a comment with [brackets] = and "quotes"\n'
        'a."b.c".d = 1\n'
        "'x y' = [1, # one\n  { z = '#' },\n]\n"
        'm = """\n[no] = "table"\n""""\n'
        "when = 2024-01-01 10:00:00\n"
        "[t . u]\nk={}\n[[list]]\nn = 'm'\n"
    )
    found = find_positions(text)
    values = {path: text[slice(*position.value)] for path, position in found.items()}
    assert values["a", "b.c", "d"] == "1"
    assert values["x y", 1, "z"] == "'#'"
    assert values["m",] == '"""\n[no] = "table"\n""""'
    assert values["when",] == "2024-01-01 10:00:00"
    assert values["t", "u", "k"] == "{}"
    assert values["list", "n"] == "'m'"
    assert text[slice(*found["x y",].key)] == "'x y'"

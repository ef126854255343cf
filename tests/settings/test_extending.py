"""Files that extend others, several profiles, environment variables in texts."""

import re
from pathlib import Path

import pytest

from prefectx import settings
from prefectx.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def files(**texts: str) -> None:
        for name, text in texts.items():
            path = tmp_path / f"{name}.toml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        settings.reset()

    return files


def test_a_file_is_above_those_that_it_extends(write, tmp_path):
    write(
        base="mode = 'cache'\nrefresh = true\n[dask]\nworkers = 2\nspill = 0.5",
        other="refresh = false\nlock = true",
        prefectx="extends = ['base.toml', 'other.toml']\n[dask]\nworkers = 4",
    )
    project = settings.current().project
    assert (project.mode, project.refresh, project.lock) == ("cache", False, True)
    assert (project.dask.workers, project.dask.spill) == (4, 0.5)
    assert project.sources["dask.spill"] == ("file", "base.toml:5")
    outranked = [entry.source.where for entry in project.history["dask.workers"]]
    assert outranked == ["prefectx.toml:3", "base.toml:4", ""]
    assert settings.current().file == tmp_path / "prefectx.toml"


def test_paths_are_relative_to_the_file_that_has_them(write, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.toml").write_text("extends = '../root.toml'\nroot = 'runs'")
    write(root="[logging]\nconfig = 'logging.yml'", prefectx="extends = 'shared/base.toml'")
    project = settings.current().project
    assert project.root == str(tmp_path / "shared" / "runs")
    assert project.logging.config == str(tmp_path / "logging.yml")


def test_profiles_tasks_and_stores_come_from_all_files(write, monkeypatch):
    write(
        base="""
        [profiles.ci]
        mode = 'function'
        refresh = true
        [tasks.clean]
        lock = true
        [stores.x]
        class = 'a:B'
        url = 'one'
        options = { a = 1, b = { c = 2 } }
        """,
        prefectx="""
        extends = 'base.toml'
        profile = 'ci'
        [tasks.'cl*']
        lock = false
        [profiles.ci]
        mode = 'cache'
        [profiles.ci.stores.x]
        url = 'two'
        options = { b = { d = 3 } }
        """,
    )
    current = settings.current()
    assert (current.project.mode, current.project.refresh) == ("cache", True)
    assert current.options("clean").lock
    store = current.stores["x"]
    assert (store.cls, store.arguments["url"]) == ("a:B", "two")
    assert store.arguments["options"] == {"a": 1, "b": {"c": 2, "d": 3}}


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("'nowhere.toml'", r'extends: "nowhere.toml": file not found'),
        ("'.'", r"extends: \".\": is a folder"),
        ("'prefectx.toml'", r"extends: \"prefectx.toml\": the file extends itself"),
        ("'back.toml'", r"back\.toml:1:11: extends: \"prefectx.toml\": the file extends itself"),
        ("'~nosuch-user/x.toml'", r"home"),
        ("3", r"extends: 3 is not a list of names"),
        ("'wrong.toml'", r"wrong\.toml:1:1: targt: unknown key"),
    ],
)
def test_what_cannot_be_extended_is_reported_at_its_place(write, extends, message):
    write(back="extends = 'prefectx.toml'", wrong="targt = 1", prefectx=f"extends = {extends}")
    with pytest.raises(ConfigError, match=message):
        settings.current()


def test_a_file_that_two_others_extend_is_read_once(write):
    write(
        root="targt = 1",
        one="extends = 'root.toml'",
        two="extends = 'root.toml'",
        prefectx="extends = ['one.toml', 'two.toml']",
    )
    with pytest.raises(ConfigError) as caught:
        settings.current()
    assert len(caught.value.problems) == 1


PROFILES = """
mode = "cache"
[profiles.ci]
refresh = true
lock = true
[profiles.big]
lock = false
[profiles.big.dask]
workers = 8
"""


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("ci,big", (True, False)),
        ("big, ci", (True, True)),
        ("ci", (True, True)),
        ("", (False,) * 2),
    ],
)
def test_of_several_profiles_the_later_is_stronger(write, monkeypatch, chosen, expected):
    write(prefectx=PROFILES)
    monkeypatch.setenv("PREFECTX_PROFILE", chosen)
    project = settings.current().project
    assert (project.refresh, project.lock) == expected


@pytest.mark.parametrize("written", ["'ci,big'", "['ci', 'big']"])
def test_the_file_names_several_profiles(write, written):
    write(prefectx=f"profile = {written}\n{PROFILES}")
    assert settings.current().project.dask.workers == 8
    assert list(settings.current().in_profiles) == ["ci", "big"]


def test_one_unknown_profile_of_several(write, monkeypatch):
    write(prefectx=PROFILES)
    monkeypatch.setenv("PREFECTX_PROFILE", "ci,bigg")
    with pytest.raises(ConfigError, match='PREFECTX_PROFILE: unknown profile "bigg"; did you mean'):
        settings.current()


def test_variables_in_texts(write, monkeypatch):
    monkeypatch.setenv("HERE", "runs")
    monkeypatch.setenv("WORKERS", "4")
    monkeypatch.setenv("EMPTY", "")
    write(
        prefectx="""
        root = "${HERE}/${NOWHERE:-x}"
        target = "$${HERE}/{x}-${EMPTY}${EMPTY:-y}"
        [dask]
        workers = "${WORKERS}"
        environ = { A = "${HERE}" }
        [logging]
        extra_loggers = ["a", "${HERE}"]
        [stores.x]
        class = "a:B"
        options = [{ deep = "${HERE}" }]
        """
    )
    project = settings.current().project
    assert project.root == str(Path.cwd() / "runs/x")
    assert project.target == "${HERE}/{x}-y"
    assert project.dask.workers == 4
    assert project.dask.environ == {"A": "runs"}
    assert project.logging.extra_loggers == ("a", "runs")
    assert settings.current().stores["x"].arguments == {"options": [{"deep": "runs"}]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("root = 'a/${NOWHERE}'", "prefectx.toml:1:8: root: the environment variable NOWHERE"),
        ("[dask]\nenviron = { A = '${NOWHERE}' }", "prefectx.toml:2:17: dask.environ.A: the envir"),
        ("root = '${}'", "prefectx.toml:1:8: root: a reference to a variable is not complete"),
        ("target = 'x/${path.stem}'", "a reference to a variable is not complete"),
        ("target = '${NOWHERE'", "a reference to a variable is not complete"),
    ],
)
def test_a_variable_that_is_not_set_is_a_mistake_with_its_place(write, text, message):
    write(prefectx=text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        settings.current()


def test_variables_of_a_profile_matter_only_if_it_is_in_force(write, monkeypatch):
    write(prefectx="[profiles.prod]\napi_url = '${PROD_URL}'\nmode = 'cache'")
    assert settings.current().project.mode == "prefect.skiptask"
    monkeypatch.setenv("PREFECTX_PROFILE", "prod")
    settings.reset()
    with pytest.raises(ConfigError, match=r"profiles\.prod\.api_url: the environment variable PRO"):
        settings.current()


def test_a_tilde_in_a_target(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    write(prefectx="target = '~/runs/{x}'\n[tasks.other]\ntarget = '~{x}/a'")
    assert settings.current().project.target == "/home/somebody/runs/{x}"
    assert settings.current().options("other").target == "~{x}/a"
    write(prefectx="target = '~nosuch-user/{x}'")
    with pytest.raises(ConfigError, match="~nosuch-user is none here"):
        settings.current()


def test_the_command_line_is_the_strongest_but_an_override(write, monkeypatch):
    monkeypatch.setenv("PREFECTX", "function")
    monkeypatch.setenv("PREFECTX_PROFILE", "big")
    write(prefectx="[tasks.clean]\nrefresh = false", mine=PROFILES)
    options = ["tasks.clean.refresh=true", "mode=cache", "context.version=1.10", "dask.workers=3"]
    settings.use_command_line("mine.toml", "ci", [*options, 'tasks."load_*".lock=false'])
    current = settings.current()
    assert (current.project.mode, current.project.dask.workers) == ("cache", 3)
    assert current.project.context == {"version": "1.10"}
    assert current.options("clean").refresh
    assert current.options("clean", {"refresh": False}).refresh
    assert (current.options("load_a").lock, current.options("clean").lock) == (False, True)
    assert current.project.sources["mode"] == ("command line", "-o mode")
    with settings.override(refresh=False) as inner:
        assert not inner.options("clean").refresh


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"config": "nowhere.toml"}, "nowhere.toml: file not found"),
        ({"profile": "nope"}, '--profile: unknown profile "nope"'),
        ({"options": ["refresh"]}, '-o: "refresh" is no setting; write -o KEY=VALUE'),
        ({"options": ["=1"]}, "is no setting"),
        ({"options": ["refrsh=1"]}, '-o refrsh: refrsh: unknown key; did you mean "refresh"'),
        ({"options": ["dask.workers=many"]}, '-o dask.workers: dask.workers: "many" is not'),
        ({"options": ["dask=3"]}, "-o dask: dask: 3 is not a table"),
        ({"options": ["refresh=true", "refresh.x=1"]}, "is not true or false"),
        ({"options": ["store=nowhere"]}, '-o store: store: unknown store "nowhere"'),
    ],
)
def test_mistakes_on_the_command_line(write, arguments, message):
    write(prefectx=PROFILES)
    settings.use_command_line(**arguments)
    with pytest.raises(ConfigError, match=re.escape(message)):
        settings.current()

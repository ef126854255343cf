"""Every mistake ends in one clear report, never in a traceback, never in silence."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, strategies

from prefectx import flow, settings, task
from prefectx.errors import ConfigError
from tests.settings.writing import toml

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.stem for path in BROKEN.glob("*.txt"))
FILES = {".toml": "prefectx.toml", ".pyproject.toml": "pyproject.toml"}


def test_there_are_a_hundred_of_them():
    assert len(CASES) >= 100


@pytest.mark.parametrize("case", CASES)
def test_broken_configuration(case, tmp_path, monkeypatch):
    """Each case is a file, variables, or both, with the message that is expected beside them."""
    for suffix, name in FILES.items():
        if (BROKEN / (case + suffix)).exists():
            shutil.copy(BROKEN / (case + suffix), tmp_path / name)
    variables = BROKEN / f"{case}.env"
    for line in variables.read_text().splitlines() if variables.exists() else []:
        monkeypatch.setenv(*line.split("=", 1))
    with pytest.raises(ConfigError) as caught:
        settings.current()
    message = str(caught.value).replace(str(tmp_path), "FOLDER")
    assert message == (BROKEN / f"{case}.txt").read_text().strip()


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "prefectx.toml").write_bytes("target = 'größe'".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"prefectx\.toml: is not UTF-8 text \(byte 12\)"):
        settings.current()


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "prefectx.toml").symlink_to(tmp_path / "prefectx.toml")
    monkeypatch.setenv("PREFECTX_CONFIG", "prefectx.toml")
    with pytest.raises(ConfigError, match=r"prefectx\.toml: cannot be read: Too many levels"):
        settings.current()


def test_a_mistake_is_told_again_at_the_next_try(mistakes):
    first = mistakes("targt = 1")
    with pytest.raises(ConfigError) as caught:
        settings.current()
    assert [str(problem) for problem in caught.value.problems] == first


def test_an_override_tells_all_of_its_mistakes_at_once():
    with pytest.raises(ConfigError) as caught:
        settings.override(mode="fast", dask={"wrkers": 1}, tasks={"clean": {"save": 3}})
    assert str(caught.value).splitlines()[1:] == [
        '  override(): mode: "fast" is not a mode: use one of function, cache, prefect, '
        "prefect.cachetask, prefect.skiptask",
        '  override(): dask.wrkers: unknown key; did you mean "workers"?',
        "  override(): tasks.clean.save: 3 is not true or false",
    ]


def test_an_override_with_an_unknown_store_names_the_known_ones():
    with (
        pytest.raises(ConfigError, match='unknown store "flie"; did you mean "file"'),
        settings.override(store="flie"),
    ):
        pass


def test_wrong_keywords_of_a_decorator_name_the_task():
    with pytest.raises(ConfigError) as caught:
        settings.current().options("clean", {"target": 3, "store": "nowhere"})
    assert "@task clean: target: 3 is not a template" in str(caught.value)
    with pytest.raises(ConfigError, match='@task clean: store: unknown store "nowhere"'):
        settings.current().options("clean", {"store": "nowhere"})


scalars = strategies.one_of(
    strategies.booleans(), strategies.integers(), strategies.floats(), strategies.text(max_size=8)
)
known = """
    mode root target store save dask tasks workers keepalive interval profiles profile stores
    class context logging clean memory_limit
"""
keys = strategies.sampled_from(known.split()) | strategies.text(max_size=5)
tables = strategies.recursive(
    strategies.dictionaries(keys, scalars, max_size=4),
    lambda inner: strategies.dictionaries(keys, inner | scalars, max_size=4),
    max_leaves=12,
)


def reported(environ: dict[str, str], folder: Path) -> bool:
    """Read settings; True where there were mistakes, all of which name a place."""
    try:
        settings.read_settings(environ, folder)
    except ConfigError as error:
        told = error.problems
    else:
        return False
    assert all(problem.place.name and problem.message for problem in told)
    return True


@given(tables)
def test_any_tables_are_read_or_reported(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("any")
    (folder / "prefectx.toml").write_text(toml(table), encoding="utf-8", errors="replace")
    reported({}, folder)


@given(strategies.text())
def test_any_text_is_read_or_reported(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    (folder / "prefectx.toml").write_text(text, encoding="utf-8", errors="replace")
    reported({}, folder)


names = strategies.sampled_from(["MODE", "TASKS", "CLEAN", "DASK", "WORKERS", "STORES", "", "X"])


@given(strategies.lists(names, max_size=4).map("__".join), strategies.text(min_size=1))
def test_any_variable_is_read_or_reported(tmp_path_factory, name, text):
    reported({f"PREFECTX_{name}": text}, tmp_path_factory.getbasetemp())


@given(strategies.text("abcdefghijklmnopqrstuvwxyz_", min_size=1))
def test_an_unknown_key_is_never_passed_over(tmp_path_factory, key):
    folder = tmp_path_factory.mktemp("any")
    (folder / "prefectx.toml").write_text(f"x{key}x = 1")
    assert reported({}, folder)
    assert reported({f"PREFECTX_X{key.upper()}X": "1"}, folder)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("s3:/bucket/runs", 'write "s3://bucket/runs"'),
        (" ", "is not a path or URL"),
        ("~nosuch-user/x", "~nosuch-user is none here"),
        ("runs/{today}", "only targets and names of runs have them"),
    ],
)
def test_a_root_that_would_be_a_folder_of_that_name(mistakes, root, message):
    (mistake,) = mistakes(f"root = '{root}'")
    assert mistake.startswith("prefectx.toml:1:8: root: ")
    assert message in mistake


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[runner]\nmax_workers = true", "true is not a whole number"),
        ("[dask]\nthreads_per_worker = true", "true is not a whole number"),
        ("[dask]\nresources = {GPU = nan}", "NaN is not a number that is finite"),
        ("[dask]\nresources = {GPU = -1}", "-1 is not at least 0"),
        ("[dask]\nresources = {GPU = true}", "true is not a number"),
        ("[logging]\nformat = '%(nosuch)s'", "is not a format of log lines"),
        ("[logging]\nformat = '%d'", "is not a format of log lines"),
        ("[context]\nx = " + "1" * 5000, "a number has too many digits"),
        ("[context]\nx = " + "[" * 4000 + "]" * 4000, "tables are nested too deep"),
    ],
)
def test_values_that_only_look_right(mistakes, text, message):
    (mistake,) = mistakes(text)
    assert message in mistake


STORES = """
from prefectx.stores import Filestore

class Raises(Filestore):
    def __init__(self):
        raise KeyError("lost")

class Exits(Filestore):
    def __init__(self):
        raise SystemExit(3)
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("odd_stores:Raises", "the store Raises cannot be made: KeyError: 'lost'"),
        ("odd_stores:Exits", "the store Exits cannot be made: SystemExit: 3"),
        ("exits_at_once:Store", "importing 'exits_at_once:Store' raised SystemExit: 0"),
        ("fails_at_once:Store", "importing 'fails_at_once:Store' raised ZeroDivisionError"),
    ],
)
def test_whatever_a_store_raises_is_one_error(configure, tmp_path, monkeypatch, name, message):
    (tmp_path / "odd_stores.py").write_text(STORES)
    (tmp_path / "exits_at_once.py").write_text("raise SystemExit(0)")
    (tmp_path / "fails_at_once.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    configure(f"mode = 'cache'\nstore = 'odd'\n[stores.odd]\nclass = '{name}'")

    @task
    def work():
        return 1

    with pytest.raises(ConfigError, match=re.escape(message)):
        work()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), ("a: [}", "while parsing"), ("- 1", "it holds list, not a table")],
)
def test_a_logging_file_that_cannot_be_used(configure, tmp_path, content, message):
    if content is not None:
        (tmp_path / "logging.yml").write_text(content)
    configure("mode = 'cache'\n[logging]\nconfig = 'logging.yml'")

    @flow
    def around():
        return 1

    with pytest.raises(ConfigError, match=rf"logging.config: .*logging.yml .*{message}"):
        around()


def test_deeply_nested_json_in_a_variable(monkeypatch):
    monkeypatch.setenv("PREFECTX_DASK", '{"a":' * 5000)
    with pytest.raises(ConfigError, match=r"PREFECTX_DASK: dask: .* is not a table"):
        settings.current()


def test_a_home_that_does_not_exist(monkeypatch):
    monkeypatch.setenv("PREFECTX_CONFIG", "~nosuch-user/x.toml")
    with pytest.raises(ConfigError, match=r"nosuch-user/x\.toml: file not found"):
        settings.current()


@pytest.mark.parametrize("text", ["false", "False", "FALSE"])
def test_no_target_in_the_environment(monkeypatch, text):
    monkeypatch.setenv("PREFECTX_TARGET", text)
    assert settings.current().project.target is None


def test_sizes_as_kubernetes_writes_them():
    assert settings.Dask(memory_limit="2Gi").memory_limit == 2 * 2**30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dask]\nadapt = { min = 1 }", '"min" is unknown; did you mean "minimum"?'),
        ("[dask]\nadapt = { minimum = true }", "minimum must be a whole number"),
        ("[dask]\nadapt = 3", "3 is not a table"),
        ("target = '{x!q}'", "there is no conversion !q; use !r, !s or !a"),
        ("task_run_name = '{x!q}'", "there is no conversion !q"),
        ('target = "a\\u0000b"', "it has the character"),
        ('root = "a\\u0000b"', "it has the character"),
        ('task_run_name = "a\\u0000b"', "it has the character"),
    ],
)
def test_values_that_would_fail_later(mistakes, text, message):
    (mistake,) = mistakes(text)
    assert message in mistake

"""Which file is read, and what its folder is for."""

import re
import subprocess
import sys

import pytest

from prefectx import flow, settings
from prefectx.errors import ConfigError


def test_without_a_file_the_root_is_the_working_directory(tmp_path):
    assert settings.current().file is None
    assert settings.current().project.root == str(tmp_path)


def test_the_first_file_upward_is_read(configure, tmp_path, monkeypatch):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    found = configure('mode = "cache"')
    assert found.file == tmp_path / "prefectx.toml"
    assert (found.project.mode, found.project.root) == ("cache", str(tmp_path))


def test_a_nearer_pyproject_comes_first_if_it_has_the_table(configure, tmp_path, monkeypatch):
    below = tmp_path / "package"
    below.mkdir()
    monkeypatch.chdir(below)
    (below / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert configure('mode = "cache"').project.mode == "cache"
    (below / "pyproject.toml").write_text('[tool.prefectx]\nmode = "function"\n')
    settings.reset()
    assert settings.current().project.mode == "function"
    assert settings.current().project.root == str(below)


def test_prefectx_toml_comes_before_pyproject_toml(configure):
    configure('[tool.prefectx]\nmode = "function"', name="pyproject.toml")
    assert configure('mode = "cache"').project.mode == "cache"


def test_a_broken_pyproject_of_others_is_left_alone(configure):
    assert configure("this is [ no TOML", name="pyproject.toml").file is None


def test_prefectx_config_names_the_file(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "big.toml").write_text('mode = "cache"\nroot = "../data"')
    monkeypatch.setenv("PREFECTX_CONFIG", "configs/big.toml")
    assert settings.current().project.mode == "cache"
    assert settings.current().project.root == str(tmp_path / "data")


def test_a_byte_order_mark_does_no_harm(configure):
    assert configure('\ufeffmode = "cache"').project.mode == "cache"


def test_windows_line_ends_do_no_harm(tmp_path):
    (tmp_path / "prefectx.toml").write_bytes(b'mode = "cache"\r\n\r\ntargt = 1\r\n')
    with pytest.raises(ConfigError, match=r"^prefectx\.toml:3:1: targt"):
        settings.current()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (".", "{folder}"),
        ("runs/", "{folder}/runs"),
        ("../runs", "{parent}/runs"),
        ("/data/runs/", "/data/runs"),
        ("/", "/"),
        ("s3://bucket/runs/", "s3://bucket/runs"),
        ("memory://", "memory://"),
    ],
)
def test_the_root_is_absolute_and_without_a_slash_at_its_end(configure, tmp_path, written, kept):
    expected = kept.format(folder=tmp_path, parent=tmp_path.parent)
    assert configure(f'root = "{written}"').project.root == expected


def test_a_tilde_is_the_home_folder(configure, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert configure('root = "~/runs"').project.root == "/home/somebody/runs"


def test_relative_paths_in_variables_lie_in_the_working_directory(tmp_path, monkeypatch):
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "prefectx.toml").touch()
    monkeypatch.chdir(below)
    monkeypatch.setenv("PREFECTX_ROOT", "out")
    assert settings.current().project.root == str(below / "out")


def test_nothing_is_read_twice(configure, tmp_path):
    configure('mode = "cache"')
    (tmp_path / "prefectx.toml").write_text('mode = "function"')
    assert settings.current().project.mode == "cache"
    settings.reset()
    assert settings.current().project.mode == "function"


def test_profiles_change_what_they_name(configure, monkeypatch):
    text = """
        mode = "cache"
        refresh = true
        profile = "one"
        [profiles.one]
        mode = "prefect"
        [profiles.two]
        mode = "function"
    """
    assert configure(text).project.mode == "prefect"
    monkeypatch.setenv("PREFECTX_PROFILE", "two")
    project = configure(text).project
    assert (project.mode, project.refresh) == ("function", True)


def test_stores_merge_their_arguments(configure, monkeypatch):
    monkeypatch.setenv("PREFECTX_STORES__WARE_HOUSE__PASSWORD", "hunter2")
    monkeypatch.setenv("PREFECTX_STORES__WARE_HOUSE__POOL", "5")
    found = configure("""
        profile = "test"
        store = "Ware-House"
        [stores.Ware-House]
        class = "prefectx.stores:SqlStore"
        url = "postgresql://db/x"
        [profiles.test.stores.Ware-House]
        url = "sqlite://"
    """)
    definition = found.stores["Ware-House"]
    assert definition.cls == "prefectx.stores:SqlStore"
    assert definition.arguments == {"url": "sqlite://", "password": "hunter2", "pool": 5}


def test_a_built_in_store_can_be_given_arguments(configure):
    assert configure('[stores.sql]\nurl = "sqlite://"').stores["sql"].cls.endswith(":SqlStore")


def test_empty_variables_do_not_count(monkeypatch):
    for name in ("PREFECTX", "PREFECTX_CONFIG", "PREFECTX_PROFILE", "PREFECTX_TARGET"):
        monkeypatch.setenv(name, "")
    assert settings.current().project.target == "working/{funcname}/{base}"


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("[tool.prefectx]\nroot = 'x'", "x"),
        ("[tool]\nprefectx = {root = 'x'}", "x"),
        ("tool.prefectx.root = 'x'", "x"),
        ("[tool]\nprefectx.root = 'x'", "x"),
        ("[tool.'prefectx']\nroot = 'x'", "x"),
        ('[ tool . "prefectx" ]\nroot = "x"', "x"),
        ("# [tool.prefectx]\n[project]\nname = 'a'", None),
        ("[tool.prefectx-helper]\nroot = 'x'", None),
        ("[tool.other]\ntext = '''\n[tool.prefectx]\nroot = 'x'\n'''", None),
        ("[project]\ndependencies = ['prefectx']", None),
        ("[project]\nname = 'prefectx'\nname = 'twice'", None),
        ("tool = 'prefectx'", None),
    ],
)
def test_pyproject_is_read_as_toml(configure, tmp_path, text, root):
    """However the table is written it is ours; what only looks like it is not."""
    configure(text, "pyproject.toml")
    current = settings.current()
    assert current.file == (tmp_path / "pyproject.toml" if root else None)
    assert current.project.root == str(tmp_path / (root or ""))


def test_a_program_finds_the_file_beside_it(tmp_path, monkeypatch):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "flows").mkdir(parents=True)
    elsewhere.mkdir()
    (project / "prefectx.toml").write_text("mode = 'cache'")
    program = project / "flows" / "pipeline.py"
    program.write_text(
        "from prefectx import settings\n"
        "print(settings.current().file, settings.current().project.root)"
    )
    said = run_python(program, elsewhere)
    assert said == f"{project / 'prefectx.toml'} {project}\n"
    (elsewhere / "prefectx.toml").touch()
    assert run_python(program, elsewhere) == f"{elsewhere / 'prefectx.toml'} {elsewhere}\n"


def run_python(program, folder):
    return subprocess.run(
        [sys.executable, program], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: (folder / "prefectx.toml").mkdir(), "prefectx.toml: is a folder"),
        (
            lambda folder: (folder / "prefectx.toml").symlink_to("gone.toml"),
            "prefectx.toml: is a link to gone.toml, which does not exist",
        ),
        (
            lambda folder: (folder / ".prefectx.toml").touch(),
            ".prefectx.toml: is not read under this name; rename it to prefectx.toml",
        ),
        *(
            (
                lambda folder, name=name: (folder / "pyproject.toml").write_text(f"[tool.{name}]"),
                f'pyproject.toml: tool.{name}: unknown table; did you mean "tool.prefectx"?',
            )
            for name in ("prefetcx", "prefect-x", "Prefectx", "prefecx")
        ),
    ],
)
def test_what_looks_like_a_configuration_but_is_none(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(message)):
        settings.current()


@pytest.mark.parametrize("name", ["prefect", "prefectx-helper", "prefix", "perfect", "pylint"])
def test_tables_of_others_are_no_mistakes(configure, name):
    assert configure(f"[tool.{name}]\nx = 1", "pyproject.toml").file is None


def test_of_two_files_in_one_folder_a_warning_says_which_counts(configure, caplog):
    configure("[tool.prefectx]\nmode = 'function'", "pyproject.toml")
    configure("mode = 'cache'")
    assert "prefectx.toml counts; the table [tool.prefectx] of pyproject.toml" in caplog.text
    caplog.clear()
    configure("extends = 'pyproject.toml'")
    assert settings.current().project.mode == "function"
    assert not caplog.text


def test_a_working_directory_that_was_deleted(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="the working directory does not exist any more"):
        settings.current()
    with pytest.raises(ConfigError, match="the working directory does not exist any more"):
        settings.override(mode="cache")


def test_a_flow_first_says_what_it_has_read(configure, caplog, monkeypatch):

    monkeypatch.setenv("PREFECTX_PROFILE", "ci")
    configure("[profiles.ci]\nmode = 'cache'")

    @flow
    def inner():
        return 1

    @flow
    def outer():
        return inner()

    with caplog.at_level("INFO"):
        outer()
    messages = [record.message for record in caplog.records]
    assert messages[0] == "outer: Settings from prefectx.toml, profile ci"
    assert len([message for message in messages if "Settings from" in message]) == 1
    caplog.clear()
    (settings.current().folder / "prefectx.toml").unlink()
    monkeypatch.delenv("PREFECTX_PROFILE")
    monkeypatch.setenv("PREFECTX", "cache")
    settings.reset()
    with caplog.at_level("INFO"):
        outer()
    assert caplog.records[0].message == "outer: No configuration file was found"

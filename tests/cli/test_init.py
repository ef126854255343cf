"""prefectx init: a file to start from, never overwritten."""

import sys

import pytest
import tomli

from prefectx import settings
from prefectx.cli import init as command
from prefectx.cli import main
from prefectx.cli.app import run_command as run


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)


@pytest.mark.parametrize("arguments", [["init"], ["init", "--yes"], ["init", "-y", "."]])
def test_the_file_says_the_defaults(arguments, tmp_path):
    assert run(arguments) == 0
    written = settings.current()
    assert written.file == tmp_path / "prefectx.toml"
    assert written.project == settings.Settings(None, tmp_path).project


def test_every_commented_line_can_be_switched_on(tmp_path):
    run(["init"])
    file = tmp_path / "prefectx.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(map(switched_on, lines)), encoding="utf-8")
    settings.reset()
    changed = settings.current()
    assert changed.project.dask.memory_limit == "auto"
    assert changed.options("load_raw").target.endswith(".parquet")


def switched_on(line: str) -> str:
    text = line.removeprefix("# ")
    is_key = " = " in text and text[0].islower()
    return text if is_key or text.startswith("[") else line


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "prefectx.toml").write_text("# mine")
    assert run(["init", "--yes"]) == 2
    assert (tmp_path / "prefectx.toml").read_text() == "# mine"
    assert "already exists; nothing was changed" in capsys.readouterr().err


def test_it_is_for_the_project_at_hand(tmp_path):
    (tmp_path / "src" / "mylib").mkdir(parents=True)
    (tmp_path / "src" / "mylib" / "__init__.py").touch()
    (tmp_path / "pipeline.py").write_text(
        "from prefectx import task\n@task(\n  target='x')\n@other\ndef clean(x): ...\n"
        "import prefectx\n@prefectx.task\nasync def load(x): ...\ndef not_one(x): ...\n"
    )
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.py").write_text("@task\ndef hidden(): ...\n")
    run(["init"])
    text = (tmp_path / "prefectx.toml").read_text()
    assert settings.current().project.logging.extra_loggers == ("mylib",)
    assert "# [tasks.clean]" in text
    assert "# [tasks.load]" in text
    assert "not_one" not in text
    assert "hidden" not in text


def test_editors_find_the_schema(tmp_path):
    run(["init"])
    first = (tmp_path / "prefectx.toml").read_text().splitlines()[0]
    assert (tmp_path / first.removeprefix("#:schema ")).is_file()


def test_in_a_terminal_it_asks(tmp_path, monkeypatch):
    answers = {"Mode": "cache", "Where outputs are kept": "out/{base}", "Runner": "dask"}
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(command.Prompt, "ask", lambda question, **_: answers[question])
    assert run(["init"]) == 0
    chosen = tomli.loads((tmp_path / "prefectx.toml").read_text())
    assert (chosen["mode"], chosen["target"], chosen["runner"]) == (
        "cache",
        "out/{base}",
        {"type": "dask"},
    )


def test_another_folder(tmp_path, capsys):
    (tmp_path / "there").mkdir()
    assert run(["init", "there"]) == 0
    assert (tmp_path / "there" / "prefectx.toml").is_file()
    assert run(["init", "nowhere"]) == 2
    assert "nowhere: folder not found" in capsys.readouterr().err


def test_main_leaves_with_the_exit_code():
    with pytest.raises(SystemExit, match="2"):
        main(["confg"])


def test_names_of_tasks_are_those_of_the_decorator_and_quoted(tmp_path):
    (tmp_path / "pipeline.py").write_text(
        "from prefectx import task\n"
        "@task(name='load fr \"x\"')\ndef load(x): ...\n"
        "@task\ndef größe(x): ...\n@task(name=NAME)\ndef computed(x): ...\n"
        "text = '''\n@task\ndef in_a_text(): ...\n'''\n"
        "class C:\n    @task\n    def method(self): ...\n",
        encoding="utf-8",
    )
    run(["init"])
    text = (tmp_path / "prefectx.toml").read_text(encoding="utf-8")
    assert '# [tasks."load fr \\"x\\""]' in text
    assert '# [tasks."größe"]' in text
    assert "# [tasks.method]" in text
    assert "in_a_text" not in text
    assert "computed" not in text
    switched = "\n".join(map(switched_on, text.splitlines()))
    assert set(tomli.loads(switched)["tasks"]) == {'load fr "x"', "größe", "method"}


def test_beside_a_table_in_pyproject_it_warns(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text("[tool.prefectx]\nmode = 'cache'")
    assert run(["init"]) == 0
    assert "prefectx.toml counts now; the table [tool.prefectx]" in capsys.readouterr().err

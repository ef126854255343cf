"""prefectx config show, check, schema: as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from prefectx import settings
from prefectx.cli.app import run_command as run

PIPELINE = """
    from prefectx import context, task

    @task(target="working/{funcname}/{path.stem}.json", refresh=True)
    def clean(path):
        return path

    @task
    def report(tables):
        return tables
"""


@pytest.fixture
def project(tmp_path):
    """Write files into the working directory; names with an underscore for the dot."""

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(dedent(text), encoding="utf-8")
        settings.reset()

    return write


@pytest.fixture
def prefectx(capsys):
    """Run the command; gives exit code, output and errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def row(output: str, key: str) -> list[str]:
    return next(line.split() for line in output.splitlines() if line.startswith(key))


def test_show_lists_all_keys_of_the_project(project, prefectx):
    project(prefectx_toml='mode = "cache"\n[dask]\nmemory_limit = "512MiB"\n')
    code, output, _ = prefectx("config", "show")
    assert code == 0
    outranked = ['"prefect.skiptask"', "(default)"]
    assert row(output, "mode")[1:] == ['"cache"', "prefectx.toml:1", *outranked]
    assert row(output, "dask.memory_limit")[1:3] == ['"512MiB"', "prefectx.toml:3"]
    assert row(output, "keepalive.outage")[1:] == ['"10m"', "default"]


def test_show_a_task_with_what_its_decorator_says(project, prefectx, monkeypatch):
    project(prefectx_toml="[tasks.clean]\nrefresh = false\n", pipeline_py=PIPELINE)
    monkeypatch.setenv("PREFECTX_TASKS__CLEAN__SAVE", "false")
    code, output, _ = prefectx("config", "show", "clean", "pipeline.py", "--changed")
    assert code == 0
    assert row(output, "save")[1:] == ["false", "PREFECTX_TASKS__CLEAN__SAVE", "true", "(default)"]
    expected = ["false", "prefectx.toml:2", "true", "(@task", "clean),", "false", "(default)"]
    assert row(output, "refresh")[1:] == expected
    assert row(output, "target")[2:4] == ["@task", "clean"]
    assert "api_url" not in output


def test_show_a_task_that_is_not_in_the_file(project, prefectx):
    project(pipeline_py=PIPELINE)
    code, _, errors = prefectx("config", "show", "claen", "pipeline.py")
    assert code == 2
    assert errors == 'pipeline.py  claen\n  no task has this name; did you mean "clean"?\n'


def test_show_for_programs(project, prefectx):
    project(prefectx_toml='[keepalive]\ninterval = "5s"\n[stores.sql]\nurl = "x://u:hunter2@h"\n')
    code, output, _ = prefectx("config", "show", "--json", "--changed")
    shown = json.loads(output)
    assert code == 0
    assert shown["keepalive.interval"] == {
        "value": 5.0,
        "layer": "file",
        "where": "prefectx.toml:2",
        "outranks": [{"value": 100.0, "layer": "default", "where": ""}],
    }
    assert shown["stores.sql"]["arguments"] == {"url": "x://u:***@h"}


def test_show_masks_secrets(project, prefectx):
    project(
        prefectx_toml="""
        root = "s3://key:hunter2@bucket"
        [context]
        db_password = "hunter2"
        [stores.sql]
        url = "postgresql://user:hunter2@host/db"
        """
    )
    _, output, errors = prefectx("config", "show")
    assert "hunter2" not in output + errors
    assert output.count("***") == 3


def test_check_says_that_nothing_is_wrong(project, prefectx):
    project(prefectx_toml='mode = "cache"', pipeline_py=PIPELINE)
    assert prefectx("config", "check")[0] == 0
    code, output, errors = prefectx("config", "check", "pipeline.py")
    assert (code, errors) == (0, "")
    assert output.endswith("prefectx.toml: no mistakes.\n")


def test_check_underlines_every_mistake(project, prefectx, monkeypatch):
    project(prefectx_toml='[dask]\nmemory_limt = "4GB"\nworkers = "many"  # as possible\n')
    monkeypatch.setenv("PREFECTX_MODE", "cache")
    code, _, errors = prefectx("config", "check")
    assert code == 2
    assert errors.splitlines() == [
        "prefectx.toml:2:1  dask.memory_limt",
        '  unknown key; did you mean "memory_limit"?',
        '  2 | memory_limt = "4GB"',
        "    | ^^^^^^^^^^^",
        "prefectx.toml:3:11  dask.workers",
        '  "many" is not a number of workers: write 4 (names of workers are for single tasks)',
        '  3 | workers = "many"  # as possible',
        "    |           ^^^^^^",
        "PREFECTX_MODE  ",
        "  unknown variable; PREFECTX sets the mode of a run",
    ]


def test_check_for_programs(project, prefectx):
    project(prefectx_toml="targt = 1\n")
    code, output, _ = prefectx("config", "check", "--json")
    assert code == 2
    assert json.loads(output) == [
        {
            "where": "prefectx.toml:1:1",
            "row": 1,
            "column": 1,
            "key": "targt",
            "message": 'unknown key; did you mean "target"?',
            "line": "targt = 1",
        }
    ]


def test_check_masks_secrets_in_the_lines_it_shows(project, prefectx):
    project(prefectx_toml='[dask.environ]\nDB_PASSWORD = "hunter2"\nX = ["a"]\n')
    project(prefectx_toml='api_url = "postgresql://u:hunter2@h/x"\n[dask]\nsecret = "hunter2"\n')
    _, output, errors = prefectx("config", "check")
    assert "hunter2" not in output + errors
    assert "^" in errors


MISFITS = {
    "a section without a task": (
        "[tasks.claen]\nsave = true\n",
        "",
        'prefectx.toml:1:8  tasks.claen\n  no task has this name; did you mean "clean"?',
    ),
    "a pattern without a task": (
        '[tasks."load_*"]\nsave = true\n',
        "",
        'prefectx.toml:1:8  tasks."load_*"\n  no task has this name',
    ),
    "a field that nothing provides": (
        "",
        '@task(target="working/{yaer}.json")\ndef one(year): ...',
        'pipeline.py:11  one.target\n  nothing provides {yaer} of "working/{yaer}.json"; '
        'did you mean "year"?',
    ),
    "a name of runs with a field that nothing provides": (
        '[tasks.clean]\ntask_run_name = "{who}"\n',
        "",
        'pipeline.py:4  clean.task_run_name\n  nothing provides {who} of "{who}"',
    ),
    "a store that is not installed": (
        '[stores.x]\nclass = "no_such_package:Store"\n',
        "",
        "prefectx.toml:1:9  stores.x\n  the store 'x' cannot be made: the module "
        "'no_such_package', needed for 'no_such_package:Store', cannot be found: correct its name",
    ),
    "a file for logging that is not there": (
        '[logging]\nconfig = "nope.yml"\n',
        "",
        "prefectx.toml:2  logging.config\n  ",
    ),
    "an unknown format": (
        '[tasks.clean]\nformat = "xyzzy"\n',
        "",
        "pipeline.py:4  clean\n  there is no format for the suffix '.xyzzy'",
    ),
    "two tasks with one target": (
        "",
        '@task(target="out.json")\ndef one(x): ...\n@task(target="out.json")\ndef two(x): ...',
        'pipeline.py:13  two.target\n  has the same target as one: "out.json"',
    ),
    "two tasks whose names fill to one target": (
        "",
        '@task(target="{funcname}/{x}")\ndef one(x): ...\n@task(target="one/{x}")\ndef two(x): ...',
        'pipeline.py:13  two.target\n  has the same target as one: "one/{x}"',
    ),
    "a file that cannot be imported": (
        "",
        "import no_such_package",
        "pipeline.py:11\n  cannot be imported: ModuleNotFoundError: No module named",
    ),
    "a file that is not Python": (
        "",
        "def (",
        "pipeline.py:11\n  cannot be imported: SyntaxError: ",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_check_compares_with_the_tasks(case, project, prefectx):
    toml, code, expected = MISFITS[case]
    project(prefectx_toml=toml, pipeline_py=dedent(PIPELINE) + code)
    exit_code, _, errors = prefectx("config", "check", "pipeline.py")
    assert exit_code == 2
    assert expected in errors.replace("  \n", "\n")


def test_a_copy_of_a_task_with_a_name_has_outputs_of_its_own(project, prefectx):
    code = '@task\ndef one(x): ...\ntwo = one.with_options(name="two")\n'
    project(prefectx_toml="", pipeline_py=dedent(PIPELINE) + code)
    exit_code, _, errors = prefectx("config", "check", "pipeline.py")
    assert (exit_code, errors) == (0, "")


def test_check_knows_what_is_provided_at_run_time(project, prefectx):
    project(
        prefectx_toml="[context]\nyear = 2024\n",
        pipeline_py=dedent(PIPELINE)
        + '@task(target="{year}/{season}/{x}")\ndef one(x): ...\n'
        + '@task(target="{anything}")\ndef two(**values): ...\n'
        + 'def run():\n    with context(season="summer"): ...\n',
    )
    assert prefectx("config", "check", "pipeline.py")[0] == 0


def test_check_finds_methods(project, prefectx):
    code = 'class C:\n    @task(target="{who}")\n    def one(self, x): ...\n'
    project(prefectx_toml="[tasks.one]\nsave = true\n", pipeline_py=dedent(PIPELINE) + code)
    _, _, errors = prefectx("config", "check", "pipeline.py")
    assert "one.target" in errors
    assert "no task has this name" not in errors


def test_check_names_a_file_that_is_not_there(prefectx):
    code, _, errors = prefectx("config", "check", "nowhere.py")
    assert code == 2
    assert "nowhere.py" in errors
    assert "file not found" in errors


def test_schema_is_json(prefectx):
    code, output, _ = prefectx("config", "schema")
    assert code == 0
    assert "dask" in json.loads(output)["properties"]


@pytest.mark.parametrize("arguments", [["confg"], ["config", "chek"], ["config", "show", "--no"]])
def test_a_wrong_call_has_exit_code_2(arguments, prefectx):
    code, _, errors = prefectx(*arguments)
    assert code == 2
    assert arguments[-1] in errors


def test_a_wrong_configuration_has_exit_code_2(project, prefectx):
    project(prefectx_toml="targt = 1")
    code, _, errors = prefectx("config", "show")
    assert code == 2
    assert errors.startswith("prefectx.toml:1:1  targt")


def test_the_examples_fit_the_configuration_of_the_project(prefectx, monkeypatch):
    folder = Path(__file__).parents[2]
    monkeypatch.setenv("PREFECTX_CONFIG", str(folder / "prefectx.toml"))
    code, _, errors = prefectx("config", "check", *map(str, (folder / "examples").glob("*.py")))
    assert (code, errors) == (0, "")


def test_show_one_key_one_table_one_store(project, prefectx, monkeypatch):
    project(
        prefectx_toml="""
        [dask]
        memory_limit = "2GB"
        [context]
        year = 2024
        [stores.sql]
        url = "sqlite:///x.db"
        """
    )
    monkeypatch.setenv("PREFECTX_DASK__MEMORY_LIMIT", "3GB")
    _, output, _ = prefectx("config", "show", "dask.memory_limit")
    assert row(output, "dask.memory_limit")[1:3] == ['"3GB"', "PREFECTX_DASK__MEMORY_LIMIT"]
    assert '"2GB" (prefectx.toml:3)' in output
    assert len(output.splitlines()) == 3
    _, output, _ = prefectx("config", "show", "context", "--json")
    assert list(json.loads(output)) == ["context.year"]
    _, output, _ = prefectx("config", "show", "stores.sql")
    assert row(output, "sql")[-1] == "prefectx.toml:6"


def test_show_a_task_of_the_file(project, prefectx):
    project(prefectx_toml='[tasks.clean]\nlock = true\n[tasks."load_*"]\nlock = true')
    for name in ("clean", "load_a", "tasks.clean"):
        code, output, _ = prefectx("config", "show", name)
        assert code == 0
        assert row(output, "lock")[1] == "true"


@pytest.mark.parametrize(
    ("name", "nearest"), [("refrsh", "refresh"), ("dsk", "dask"), ("claen", "clean")]
)
def test_show_an_unknown_name(project, prefectx, name, nearest):
    project(prefectx_toml="[tasks.clean]\nlock = true")
    code, _, errors = prefectx("config", "show", name)
    assert code == 2
    assert f'did you mean "{nearest}"?' in errors


def test_show_cuts_nothing(project, prefectx):
    long = "a" * 500
    project(prefectx_toml=f"[context]\nx = '{long}'\n[stores.sql]\nurl = 'x://{long}'")
    _, output, _ = prefectx("config", "show")
    assert output.count(long) == 2


def test_keys_do_not_break_on_a_narrow_terminal(project, prefectx, monkeypatch):
    from rich.console import Console

    from prefectx.cli import output as of_commands

    monkeypatch.setattr(
        of_commands, "_console", lambda file: Console(file=file, width=80, highlight=False)
    )
    _, output, _ = prefectx("config", "show")
    starts = {line.split()[0] for line in output.splitlines() if line and line[0] != " "}
    assert set(settings.current().project.history) <= starts


def test_show_names_the_profile(project, prefectx):
    project(prefectx_toml="[profiles.ci]\nmode = 'cache'\n[profiles.big]\nlock = true")
    _, output, _ = prefectx("config", "show", "mode", "--profile", "ci,big")
    assert output.splitlines()[0] == "Settings from prefectx.toml, profile ci, big."
    assert row(output, "mode")[1:3] == ['"cache"', "prefectx.toml:2"]


def test_show_is_valid_json_whatever_there_is(project, prefectx):
    project(prefectx_toml="[context]\na = nan\nb = inf\nc = 2024-01-02\nd = [1979-05-27T07:32:00Z]")
    _, output, _ = prefectx("config", "show", "context", "--json")
    shown = json.loads(output, parse_constant=lambda name: pytest.fail(name))
    assert shown["context.c"]["value"] == "2024-01-02"
    assert shown["context.a"]["value"] == "nan"


def test_the_command_line_chooses_settings(project, prefectx):
    project(other_toml="mode = 'cache'")
    arguments = ("--config", "other.toml", "-o", "refresh=true", "-o", "context.v=1.10", "--json")
    code, output, errors = prefectx("config", "show", *arguments)
    assert (code, errors) == (0, "")
    shown = json.loads(output)
    assert shown["mode"]["value"] == "cache"
    assert shown["refresh"]["where"] == "-o refresh"
    assert shown["context.v"]["value"] == "1.10"
    code, _, errors = prefectx("config", "check", "-o", "refrsh=true")
    assert code == 2
    assert 'did you mean "refresh"?' in errors


def test_check_a_given_configuration_file(project, prefectx):
    project(prefectx_toml="mode = 'cache'", other_toml="targt = 1", third_toml="dask = 1")
    code, _, errors = prefectx("config", "check", "other.toml", "third.toml")
    assert code == 2
    assert errors.startswith("other.toml:1:1  targt")
    assert "third.toml:1:8  dask" in errors
    assert prefectx("config", "check", "prefectx.toml")[0] == 0


def test_check_for_github(project, prefectx, monkeypatch):
    project(prefectx_toml='[dask]\nmemory_limt = "4GB"\n', pipeline_py="import no_such_package")
    monkeypatch.setenv("PREFECTX_MODE", "cache")
    code, output, _ = prefectx("config", "check", "pipeline.py", "--output-format", "github")
    assert code == 2
    assert output.splitlines() == [
        "::error file=prefectx.toml,line=2,col=1,title=dask.memory_limt::"
        'unknown key; did you mean "memory_limit"?',
        "::error title=PREFECTX_MODE::unknown variable; PREFECTX sets the mode of a run",
        "::error file=pipeline.py,line=1::cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_package'",
    ]


@pytest.mark.parametrize("arguments", [["config", "show"], ["config", "check"], ["init"]])
def test_in_a_folder_that_was_deleted(tmp_path, arguments):
    gone = tmp_path / "gone"
    gone.mkdir()
    program = "import os, sys\nos.rmdir(os.getcwd())\nfrom prefectx.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=gone, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == (
        "the working directory does not exist any more; change to another folder\n"
    )

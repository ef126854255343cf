"""config check FILE and config show TASK FILE on projects as people have them."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from prefectx import settings
from prefectx.cli.app import run_command as run

STORE = """
    from prefectx import Store
    class Mine(Store):
        def exists(self, location): return False
        def save(self, location, data): pass
        def load(self, location): pass
        def delete(self, location): pass
"""


@pytest.fixture
def project(tmp_path):
    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        settings.reset()

    return write


@pytest.fixture
def check(capsys):
    def command(*files: str) -> str:
        before = list(sys.path), set(sys.modules)
        code = run(["config", "check", *files])
        assert sys.path == before[0]
        captured = capsys.readouterr()
        assert code == (2 if captured.err else 0)
        return captured.err

    return command


def test_a_store_in_a_module_beside_the_pipeline(project, check):
    project(
        {
            "flows/my_stores.py": STORE,
            "flows/pipeline.py": "from prefectx import task\n@task\ndef clean(x): ...",
            "prefectx.toml": "[stores.mine]\nclass = 'my_stores:Mine'\n"
            "[tasks.clean]\nstore = 'mine'",
        }
    )
    assert check("flows/pipeline.py") == ""


@pytest.mark.parametrize("init", [True, False])
def test_a_file_inside_a_package(project, check, init):
    project(
        {
            "src/mypkg/flows/pipeline.py": """
            from prefectx import task
            from ..helpers import twice
            from . import others
            @task(target="{funcname}/{x}")
            def clean(x): return twice(x)
        """,
            "src/mypkg/helpers.py": "def twice(x): return 2 * x",
            "src/mypkg/flows/others.py": "from prefectx import task\n@task\ndef other(x): ...",
            "prefectx.toml": "[tasks.clean]\nlock = true\n[tasks.other]\nlock = true",
            **({"src/mypkg/__init__.py": "", "src/mypkg/flows/__init__.py": ""} if init else {}),
        }
    )
    assert check("src/mypkg/flows/pipeline.py") == ""


def test_absolute_imports_of_a_package(project, check):
    project(
        {
            "mypkg/__init__.py": "",
            "mypkg/helpers.py": "def twice(x): return 2 * x",
            "mypkg/pipeline.py": "from prefectx import task\nfrom mypkg.helpers import twice\n",
            "plain/pipeline.py": "from plain.helpers import twice",
            "plain/helpers.py": "def twice(x): return 2 * x",
        }
    )
    assert check("mypkg/pipeline.py", "plain/pipeline.py") == ""


def test_methods_of_every_kind(project, check):
    project(
        {
            "pipeline.py": """
            from prefectx import task
            class C:
                @task
                @classmethod
                def one(cls, x): ...
                @classmethod
                @task
                def two(cls, x): ...
                @task
                @staticmethod
                def three(x): ...
                @staticmethod
                @task(target="{wrong}")
                def four(x): ...
                class D:
                    @task
                    def five(self, x): ...
        """,
            "prefectx.toml": "\n".join(
                f"[tasks.{name}]\nlock = true" for name in ("one", "two", "three", "four", "five")
            ),
        }
    )
    said = check("pipeline.py")
    assert "no task has this name" not in said
    assert "four.target\n  nothing provides {wrong}" in said


def test_tasks_of_imported_modules(project, check):
    project(
        {
            "one.py": "from prefectx import task\n@task\ndef first(x): ...",
            "two.py": "import three\nfrom prefectx import task\n"
            "@task(target='{y}')\ndef second(x): ...",
            "three.py": "from prefectx import task\n@task\ndef third(x): ...",
            "pipeline.py": "import one, two as others",
            "prefectx.toml": "[tasks.first]\nlock = true\n[tasks.second]\nlock = true\n"
            "[tasks.third]\nlock = true\n[tasks.fourth]\nlock = true",
        }
    )
    said = check("pipeline.py")
    assert "tasks.fourth\n  no task has this name" in said
    assert said.count("no task has this name") == 1
    assert "second.target" in said


def test_names_that_the_program_gives_later(project, check):
    project(
        {
            "pipeline.py": """
            from prefectx import flow, task
            @task
            def clean(x): ...
            @flow
            def main(name):
                clean.with_options(name="clean-fr")(1)
                clean.with_options(name=f"load-{name}-x")(1)
                @task(name="inner")
                def work(): ...
        """,
            "prefectx.toml": "[tasks.clean-fr]\nlock = true\n[tasks.load-fr-x]\nlock = true\n"
            "[tasks.inner]\nlock = true\n[tasks.work]\nlock = true",
        }
    )
    said = check("pipeline.py")
    assert "tasks.work\n  no task has this name" in said
    assert said.count("no task has this name") == 1


@pytest.mark.parametrize("call", ["main()", "clean(1)", "clean.submit(1)", "clean.map([1])"])
def test_a_call_without_a_guard_is_reported_and_not_run(project, check, call, tmp_path):
    project(
        {
            "pipeline.py": f"""
            from pathlib import Path
            from prefectx import flow, task
            @task(target="{{wrong}}")
            def clean(x): Path("ran").touch()
            @flow
            def main(): Path("ran").touch()
            try:
                {call}
            except Exception:
                pass
        """,
        }
    )
    said = check("pipeline.py")
    name = "main" if "main" in call else "clean"
    assert f"'{name}' when it is imported" in said
    assert said.startswith("pipeline.py:9")
    assert "clean.target\n  nothing provides {wrong}" in said
    assert not (tmp_path / "ran").exists()


def test_a_call_below_a_guard_is_fine(project, check):
    guarded = "from prefectx import flow\n@flow\ndef f(): ...\nif __name__ == '__main__':\n    f()"
    project({"pipeline.py": guarded})
    assert check("pipeline.py") == ""


def test_all_faults_of_a_file_are_reported(project, check):
    project(
        {
            "pipeline.py": """
            from prefectx import flow, task
            @task(targt="x", retry=1)
            def one(x): ...
            @task(save=3, dask={"wrkers": 1})
            def two(x): ...
            @task(target="{y}")
            def three(x): ...
            @flow(retris=1)
            def main(): ...
            one.with_options(refrsh=True)
            raise RuntimeError("boom")
        """,
            "prefectx.toml": "[tasks.ones]\nlock = true",
        }
    )
    said = check("pipeline.py")
    for expected in (
        "pipeline.py:3  \n  task 'one' got an unknown option 'targt'; did you mean 'target'?",
        "pipeline.py:3  \n  task 'one' got an unknown option 'retry'",
        "pipeline.py:5: @task two  save\n  3 is not true or false",
        "pipeline.py:5: @task two  dask.wrkers\n  unknown key",
        "pipeline.py:7  three.target\n  nothing provides {y}",
        "pipeline.py:9  \n  flow 'main' got an unknown option 'retris'; did you mean 'retries'?",
        "pipeline.py:11  \n  task 'one' got an unknown option 'refrsh'; did you mean 'refresh'?",
        "pipeline.py:12  \n  cannot be imported: RuntimeError: boom",
        'tasks.ones\n  no task has this name; did you mean "one"?',
    ):
        assert expected in said


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            "@task(save=3)",
            "ConfigError: pipeline.py:3: @task clean: save: 3 is not",
        ),
        ("@task(targt=3)", "TypeError: pipeline.py:3: task 'clean' got an unknown option 'targt'"),
        ("@flow(targt=3)", "TypeError: pipeline.py:3: flow 'clean' got an unknown option 'targt'"),
    ],
)
def test_a_mistake_of_a_decorator_at_run_time(project, tmp_path, mistake, message):
    project({"pipeline.py": f"from prefectx import flow, task\n\n{mistake}\ndef clean(x): ..."})
    done = subprocess.run(
        [sys.executable, "pipeline.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert message in done.stderr
    assert done.stderr.count('File "') <= 3


def test_with_options_names_the_line_of_its_call(project, tmp_path):
    project(
        {
            "pipeline.py": "from prefectx import task\n@task\ndef clean(x): ...\n\n"
            "clean.with_options(\n    save=3)(1)"
        }
    )
    done = subprocess.run(
        [sys.executable, "pipeline.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "pipeline.py:5: @task clean: save: 3 is not true or false" in done.stderr


def test_show_believes_the_same_projects(project, capsys):
    project(
        {
            "mypkg/__init__.py": "",
            "mypkg/pipeline.py": "from prefectx import task\nfrom .base import LOCK\n"
            "class C:\n    @task(lock=LOCK)\n    @classmethod\n    def clean(cls, x): ...",
            "mypkg/base.py": "LOCK = True",
        }
    )
    assert run(["config", "show", "clean", "mypkg/pipeline.py", "--changed"]) == 0
    assert "@task clean" in capsys.readouterr().out


def test_a_file_named_like_a_module_of_python(project, check):
    import statistics

    project({"statistics.py": "from prefectx import task\n@task(target='{y}')\ndef f(x): ..."})
    assert "f.target" in check("statistics.py")
    assert sys.modules["statistics"] is statistics
    assert Path(statistics.__file__).parent != Path.cwd()

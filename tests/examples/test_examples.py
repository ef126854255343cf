"""The examples run as they are, in every mode."""

import json
import os
import re
import runpy
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.py"))
ON_PREFECT = [
    pytest.param(name, marks=pytest.mark.dask) if name.startswith("dask") else name
    for name in NAMES
]
ARGUMENTS = {"library_report.py": ["--limit", "6"], "dask_local.py": ["2", "2"]}
PREFECT = ["prefect", "prefect.cachetask", "prefect.skiptask"]


def run_example(name: str, mode: str, folder: Path, *arguments: str, api: str | None = None) -> str:
    """Run an example in a folder; return what it prints."""
    return completed(name, mode, folder, *arguments, api=api).stdout


def completed(
    name: str, mode: str, folder: Path, *arguments: str, api: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run an example in a folder; return what it prints and what it logs."""
    environment = {**os.environ, "PREFECTX": mode, "PYTHONWARNINGS": "default"}
    environment["PREFECTX_ROOT"] = str(folder)  # else the folder of the examples' configuration
    if api is not None:
        environment["PREFECT_API_URL"] = api
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *(arguments or ARGUMENTS.get(name, ()))],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def counts(output: str) -> dict[str, tuple[int, int, int]]:
    """Return how many calls of each task of the report were skipped, ran and failed."""
    rows = (line.split() for line in output.splitlines())
    tasks = ("parse", "measure", "report", "draw")
    return {row[0]: tuple(map(int, row[1:])) for row in rows if len(row) == 4 and row[0] in tasks}


def flow_run_of(api: str, log: str) -> str:
    """Ask the server for the flow run that a log begins with."""
    name = re.search("Beginning flow run '([^']+)'", log)[1]
    newest = {"flow_runs": {"name": {"any_": [name]}}, "sort": "START_TIME_DESC", "limit": 1}
    return httpx.post(f"{api}/flow_runs/filter", json=newest).raise_for_status().json()[0]["id"]


def task_runs(api: str, flow_run: str) -> int:
    """Ask the server for the number of task runs of a flow run."""
    of_it = {"flow_runs": {"id": {"any_": [flow_run]}}}
    return httpx.post(f"{api}/task_runs/count", json=of_it).raise_for_status().json()


def wait_for_task_runs(api: str, flow_run: str, number: int) -> None:
    """Return when the server, which is behind with its events, knows of so many task runs."""
    deadline = time.monotonic() + 60
    while task_runs(api, flow_run) < number and time.monotonic() < deadline:
        time.sleep(0.2)
    assert task_runs(api, flow_run) == number


@pytest.mark.parametrize("name", NAMES)
def test_runs_without_prefect(name, tmp_path):
    """Every example prints something; it keeps nothing in function mode, its outputs in cache."""
    assert run_example(name, "function", tmp_path)
    assert not list(tmp_path.iterdir())
    assert run_example(name, "cache", tmp_path)
    assert list(tmp_path.iterdir())


@pytest.mark.prefect
@pytest.mark.parametrize("mode", PREFECT)
@pytest.mark.parametrize("name", ON_PREFECT)
def test_runs_on_prefect(name, mode, tmp_path, prefect_api):
    """Every example runs in the Prefect modes; those that cache keep its outputs."""
    assert run_example(name, mode, tmp_path, api=prefect_api)
    assert bool(list(tmp_path.iterdir())) == (mode != "prefect")


def test_report_says_what_was_done(tmp_path):
    """The first run does all, the second nothing; what was deleted is done again, no more."""
    report = partial(run_example, "library_report.py", "cache", tmp_path, "--limit")
    ran = {"parse": (0, 6, 0), "measure": (0, 6, 0), "report": (0, 1, 0), "draw": (0, 1, 0)}
    assert counts(report("6")) == ran

    skipped = {task: (ran, 0, 0) for task, (_, ran, _) in ran.items()}
    assert counts(report("6")) == skipped

    next((tmp_path / "working/measure").iterdir()).unlink()
    (tmp_path / "working/largest.png").unlink()
    assert counts(report("6")) == {**skipped, "measure": (5, 1, 0), "draw": (0, 1, 0)}

    # A report of other modules is made anew; the modules that were measured stay.
    assert counts(report("8")) == {**ran, "parse": (6, 2, 0), "measure": (6, 2, 0)}
    assert len((tmp_path / "working/report.csv").read_text().splitlines()) == 9


def test_report_names_modules_that_do_not_parse(tmp_path, monkeypatch, capsys):
    """One bad module fails alone and is named with the reason; the rest is done."""
    library = tmp_path / "library"
    (library / "package").mkdir(parents=True)
    (library / "package" / "__init__.py").write_text("def f():\n    return 1\n")
    (library / "package" / "good.py").write_text("import sys\n")
    (library / "package" / "bad.py").write_text("print 'no'\n")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(library))
    monkeypatch.setattr("sys.argv", ["library_report.py"])
    monkeypatch.setenv("PREFECTX", "cache")
    monkeypatch.setenv("PREFECTX_ROOT", str(tmp_path))

    runpy.run_path(str(EXAMPLES / "library_report.py"), run_name="__main__")
    output = capsys.readouterr().out
    assert counts(output)["measure"] == (0, 2, 1)
    assert "failed package.bad: SyntaxError: " in output
    assert {path.name for path in (tmp_path / "working/measure").iterdir()} == {
        "package.json",
        "package.good.json",
    }


@pytest.mark.prefect
def test_report_reaches_prefect_once(tmp_path, prefect_api):
    """In prefect.skiptask a run that finds all outputs makes no task run: the server says so."""
    flow_runs = []

    def report() -> None:
        run = completed("library_report.py", "prefect.skiptask", tmp_path, api=prefect_api)
        flow_runs.append(flow_run_of(prefect_api, run.stderr))

    report()
    report()
    next((tmp_path / "working/measure").iterdir()).unlink()
    report()
    first, second, third = flow_runs
    wait_for_task_runs(prefect_api, first, 6 + 6 + 1 + 1)
    # The server takes events in their order: with the third run's it has all of the second's.
    wait_for_task_runs(prefect_api, third, 1)
    assert task_runs(prefect_api, second) == 0


@pytest.mark.slow
def test_report_goes_on_after_a_kill(tmp_path):
    """A run that is killed leaves whole outputs or none; the next one does only the rest."""
    command = [sys.executable, EXAMPLES / "library_report.py", "--limit", "600"]
    environment = {**os.environ, "PREFECTX": "cache", "PREFECTX_ROOT": str(tmp_path)}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment)
    measured = tmp_path / "working" / "measure"
    while not measured.exists() or len(list(measured.glob("[!.]*"))) < 50:
        assert run.poll() is None
        time.sleep(0.01)
    run.kill()
    run.wait()

    left = [path for path in measured.iterdir() if not path.name.startswith(".")]
    assert 50 <= len(left) < 500
    for path in left:
        assert json.loads(path.read_text())["module"] == path.stem
    output = run_example("library_report.py", "cache", tmp_path, "--limit", "600")
    skipped, ran, failed = counts(output)["measure"]
    assert (skipped, skipped + ran + failed) == (len(left), 600)
    assert not list((tmp_path / "working").rglob(".prefectx-*"))

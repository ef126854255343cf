"""A small project whose files the tests change, and what a run of it says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2]

FILES = {
    "prefectx.toml": "",
    "raw/a.txt": "1 2\n",
    "raw/b.txt": "3\n",
    "params.yml": "limit: 3\n",
    "helpers.py": """\
        import functools
        import deep.inner as deepest
        from deep import *

        RATE = 2
        TABLE = {"rate": RATE * 3}

        def logged(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        @logged
        def scaled(number):
            return number * TABLE["rate"] + deepest.base(number)

        class Base:
            def add(self, number):
                return number + 1

        class Adder(Base):
            def add(self, number):
                return super().add(number) + starred(number)

        def unrelated():
            return 1
        """,
    "deep/__init__.py": "def starred(number):\n    return 0 * number\n",
    "deep/inner.py": """\
        def base(number):
            return again(number - 1) if number > 0 else 0

        def again(number):
            return base(number)
        """,
    "pipeline.py": """\
        import json
        import os
        import pathlib
        import sys

        import helpers
        from helpers import Adder as Add
        from prefectx import flow, load, task

        def ran(name):
            with open(os.environ["RAN"], "a") as log:
                log.write(name + "\\n")

        @task(target="working/clean/{path.stem}.json")
        def clean(path: pathlib.Path):
            ran(f"clean {path.stem}")
            return [helpers.scaled(int(number)) for number in path.read_text().split()]

        @task(target="working/total.json", files=["params.yml"])
        def total(parts, offset=0):
            ran("total")
            return Add().add(sum(map(sum, parts))) + offset

        @task(target="working/report.json")
        def report(number, title):
            ran("report")
            return {"title": title, "number": number}

        @flow
        def pipeline():
            parts = [clean.submit(path) for path in sorted(pathlib.Path("raw").glob("*.txt"))]
            return report.submit(total.submit(parts), "sales")

        if __name__ == "__main__":
            try:
                found = {"result": load(pipeline())}
            except Exception as error:
                found = {"error": type(error).__name__, "message": str(error)}
            stale = pipeline.last_run.stale
            found["stale"] = {
                task: sorted({cause for causes in outputs.values() for cause in causes})
                for task, outputs in stale.items()
            }
            print("FOUND" + json.dumps(found))
        """,
}


class Run(NamedTuple):
    """What a run of the project did.

    Attributes:
        ran: the calls whose functions ran, sorted.
        result: what the flow returned.
        stale: the causes of stale outputs that were kept, by task.
        error: the type of the exception.
        message: its text.
        output: all that the run printed.
    """

    ran: list[str]
    result: object
    stale: dict[str, list[str]]
    error: str | None
    message: str
    output: str


def write(folder: Path) -> None:
    """Write the files of the project."""
    from textwrap import dedent

    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text))


def run(folder: Path, **variables: str) -> Run:
    """Run the project's flow in a process of its own."""
    log = folder / "ran.log"
    log.unlink(missing_ok=True)
    environment = {"PREFECTX": "cache", **os.environ, "PYTHONPATH": str(PACKAGE), "RAN": str(log)}
    said = subprocess.run(
        [sys.executable, "pipeline.py"],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    line = next((x for x in said.stdout.splitlines() if x.startswith("FOUND")), None)
    assert line is not None, said.stdout + said.stderr
    found = json.loads(line.removeprefix("FOUND"))
    ran = sorted(log.read_text().splitlines()) if log.exists() else []
    return Run(
        ran,
        found.get("result"),
        found["stale"],
        found.get("error"),
        found.get("message", ""),
        said.stdout + said.stderr,
    )


def python(folder: Path, *arguments: str, **variables: str) -> str:
    """Run Python in the project's folder, in mode `cache`; return what it printed."""
    environment = {"PREFECTX": "cache", **os.environ, "PYTHONPATH": str(PACKAGE)}
    said = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return said.stdout + said.stderr


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Replace a text that is in a file once."""
    path = folder / name
    text = path.read_text()
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new))

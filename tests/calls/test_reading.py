"""The core stays readable: few lines to read, few files on the way of a call."""

import os
import subprocess
import sys
from pathlib import Path

import prefectx

PACKAGE = Path(prefectx.__file__).parent
CORE = (
    "tasks/task.py",
    "calls/dispatch.py",
    "calls/decision.py",
    "calls/call.py",
    "targets/template.py",
)
PROGRAM = """
import sys
import prefectx

@prefectx.task(target="working/{funcname}/{x}.pkl")
def double(x):
    return 2 * x

def entered(*arguments):
    files = set()

    def profile(frame, event, _):
        _, found, name = frame.f_code.co_filename.rpartition("/prefectx/")
        if event == "call" and found and not name.startswith("records/"):
            files.add(name)

    sys.setprofile(profile)
    double(*arguments)
    sys.setprofile(None)
    return files

double(0), double(0)  # what is made once
print(*sorted(entered(1)))
print(*sorted(entered(1)))
"""


def test_a_call_passes_few_files(tmp_path):
    """A run in mode cache enters sixteen files at most, a finished call seven; records aside."""
    environment = os.environ | {"PREFECTX": "cache", "PYTHONPATH": str(PACKAGE.parent)}
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    run, finished = (line.split() for line in said.stdout.splitlines())
    assert len(run) <= 16, run
    assert len(finished) <= 7, finished
    assert "calls/dispatch.py" in finished


def test_the_core_is_five_files_of_an_hour():
    """Who reads these can say what happens in each mode."""
    lines = {name: len((PACKAGE / name).read_text().splitlines()) for name in CORE}
    assert sum(lines.values()) <= 700, lines


def test_no_long_file_without_a_reason():
    """A file of more than 250 lines says in its docstring why it is long."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if text.count("\n") > 250:
            docstring = text.split('"""')[1].casefold()
            assert "long" in docstring or "one file" in docstring, path

"""The core stays readable: few lines to read, few files on the way of a call."""

import sys
from pathlib import Path

import prefectx
from prefectx import override, task

PACKAGE = Path(prefectx.__file__).parent
CORE = (
    "tasks/task.py",
    "calls/dispatch.py",
    "calls/decision.py",
    "calls/call.py",
    "targets/template.py",
)


@task(target="working/{funcname}/{x}.pkl")
def double(x):
    return 2 * x


def files_of(*arguments) -> set[str]:
    """Return the files of the package whose functions a call of `double` enters."""
    files = set()

    def profile(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            files.add(path.relative_to(PACKAGE).as_posix())

    sys.setprofile(profile)
    try:
        double(*arguments)
    finally:
        sys.setprofile(None)
    return files


def test_a_call_passes_few_files(tmp_path):
    """A run in mode cache enters twelve files at most, a finished call seven."""
    with override(mode="cache", root=tmp_path):
        double(0)  # what is made once
        double(0)
        run, finished = files_of(1), files_of(1)
    assert len(run) <= 12, sorted(run)
    assert len(finished) <= 7, sorted(finished)


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

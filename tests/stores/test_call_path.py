"""The common calls of a Filestore run through few files of prefectx: a reader can follow them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import prefectx
from prefectx.stores import Filestore

PACKAGE = Path(prefectx.__file__).parent
FILES = {"stores/files/filestore.py", "stores/files/local.py"}


def files_run_by(function, *args):
    """Return the files of prefectx whose Python functions are entered by a call."""
    entered = set()

    def collect(frame, event, _):
        if event == "call":
            entered.add(Path(frame.f_code.co_filename))

    before = sys.getprofile()
    sys.setprofile(collect)
    try:
        function(*args)
    finally:
        sys.setprofile(before)
    inside = {path for path in entered if path.is_relative_to(PACKAGE)}
    return {path.relative_to(PACKAGE).as_posix() for path in inside}


@pytest.fixture
def store(tmp_path):
    """A store that was used there before: the first use looks up formats and the folder."""
    store = Filestore(fsync=False)
    for name in ("first", "first.pkl", "first.json"):
        store.save(f"{tmp_path}/{name}", 1)
        assert store.exists(f"{tmp_path}/{name}")
    return store


@pytest.mark.parametrize(
    ("name", "format"),
    [("a", None), ("a.pkl", None), ("a.json", "json_text")],
)
def test_saving_and_loading_run_three_files(store, tmp_path, name, format):
    """Pickles are written by pickle itself."""
    expected = {*FILES, *([f"formats/{format}.py"] if format else ())}
    assert files_run_by(store.save, f"{tmp_path}/{name}", [1]) == expected
    assert files_run_by(store.load, f"{tmp_path}/{name}") == expected


def test_looking_runs_two_files(store, tmp_path):
    for name in ("first", "missing"):
        assert files_run_by(store.exists, f"{tmp_path}/{name}") == FILES
    many = [f"{tmp_path}/{number}" for number in range(100)]
    assert files_run_by(store.exists_many, many) == FILES

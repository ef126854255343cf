"""`keep = n`: what was made before from just the same is put back instead of made once more."""

from pathlib import Path

import prefectx
import prefectx.testing
from prefectx import task
from tests.records import project
from tests.records.project import replace, run

RERUN = {"PREFECTX_STALE": "rerun", "PREFECTX_KEEP": "3"}


def test_a_change_that_is_taken_back(tmp_path):
    """As when one switches to another branch and back."""
    project.write(tmp_path)
    first = run(tmp_path, **RERUN)
    replace(tmp_path, "helpers.py", "RATE = 2", "RATE = 5")
    second = run(tmp_path, **RERUN)
    assert second.ran == ["clean a", "clean b", "report", "total"]
    replace(tmp_path, "helpers.py", "RATE = 5", "RATE = 2")
    back = run(tmp_path, **RERUN)
    assert (back.ran, back.result) == ([], first.result), back.output
    replace(tmp_path, "helpers.py", "RATE = 2", "RATE = 5")
    again = run(tmp_path, **RERUN)
    assert (again.ran, again.result) == ([], second.result)
    replace(tmp_path, "helpers.py", "RATE = 5", "RATE = 7")
    assert run(tmp_path, **RERUN).ran == ["clean a", "clean b", "report", "total"]


def test_a_deleted_output_comes_back(tmp_path):
    project.write(tmp_path)
    run(tmp_path, **RERUN)
    (tmp_path / "working/total.json").unlink()
    assert run(tmp_path, **RERUN).ran == []
    (tmp_path / "raw/a.txt").write_text("5")
    (tmp_path / "working/total.json").unlink()
    assert "total" in run(tmp_path, **RERUN).ran


def test_what_was_edited_is_not_put_back(tmp_path):
    """The kept version is the same file: an edit in place changes it, too."""
    calls = []

    @task(target="one.txt", version="1", keep=2)
    def one():
        calls.append(1)
        return "one"

    with prefectx.override(mode="cache", root=tmp_path):
        item = one()
        path = Path(item.location)
        with path.open("r+") as stream:
            stream.write("two")
        path.unlink()
        assert one().load() == "one"
    assert calls == [1, 1]


def test_only_so_many_are_kept(tmp_path):
    numbers = [0]

    @task(target="one.json", version="1", keep=2, refresh=True)
    def one():
        return numbers[0]

    with prefectx.override(mode="cache", root=tmp_path):
        for numbers[0] in range(6):
            one()
    kept = list((tmp_path / ".prefectx/versions/one.json").iterdir())
    assert sorted(path.read_text().strip() for path in kept) == ["3", "4", "5"]

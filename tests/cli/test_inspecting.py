"""ls, status, show, why, rm, accept, verify, plan, run and replay, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from prefectx.inspection.reasons import why
from tests.records.project import PACKAGE

ALL = ["clean a", "clean b", "report", "total"]


@pytest.fixture
def made(folder):
    """The project after a run."""
    assert folder.prefectx("run", "pipeline.py").code == 0
    assert folder.ran() == ALL
    return folder


def test_a_plan_tells_what_runs_and_runs_nothing(folder):
    said = folder.prefectx("plan", "pipeline.py", "--check", "--json")
    plan = json.loads(said.out)
    assert said.code == 1
    assert plan["complete"] is True
    assert [(call["task"], call["location"], call["status"]) for call in plan["calls"]] == [
        ("clean", "working/clean/a.json", "run"),
        ("clean", "working/clean/b.json", "run"),
        ("total", "working/total.json", "run"),
        ("report", "working/report.json", "run"),
    ]
    assert folder.ran() == []
    assert not (folder / "working").exists()
    assert not (folder / ".prefectx").exists()


def test_a_plan_of_a_finished_flow_is_empty(made):
    said = made.prefectx("plan", "pipeline.py", "--check")
    assert said.code == 0
    assert "Nothing would run." in said.out
    assert made.prefectx("run", "pipeline.py", "--ask").code == 0
    assert made.ran() == []


def test_run_asks_first_where_it_is_told_to(folder):
    said = folder.prefectx("run", "pipeline.py", "--ask")
    assert said.code == 1
    assert "4 would run" in said.out
    assert folder.ran() == []


def test_outputs_are_listed_with_the_fields_of_their_targets(made):
    found = json.loads(made.prefectx("ls", "clean", "--where", "path.stem=a", "--json").out)
    assert [each["location"] for each in found] == ["working/clean/a.json"]
    assert found[0]["arguments"] == {"path": "raw/a.txt"}
    assert found[0]["status"] == "finished"
    lines = made.prefectx("ls", "--csv").out.splitlines()
    assert lines[0] == "location,task,status,size,saved,seconds,arguments"
    assert len(lines) == 5
    assert made.prefectx("ls", "--output", "found.parquet").code == 0
    assert (made / "found.parquet").exists()


@pytest.mark.parametrize(
    "text",
    [
        "working/total.json", "./working/total.json", "total", "working/tot*",
        "{root}/working/total.json", "Item('{root}/working/total.json')",
    ],
)  # fmt: skip
def test_a_location_is_taken_as_people_have_it(made, text):
    said = made.prefectx("why", text.format(root=made.path), "--json")
    assert [each["location"] for each in json.loads(said.out)] == ["working/total.json"]


def test_a_location_relative_to_the_working_directory(made):
    (made / "sub").mkdir()
    environment = {"PREFECTX": "cache", **os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-c", "from prefectx.cli import main; main()"]
    said = subprocess.run(
        [*command, "show", "../working/total.json"],
        cwd=made / "sub", env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert said.stdout.startswith("working/total.json\n")


def test_why_shows_what_changed_two_modules_away_and_the_way_there(made):
    made.replace("deep/inner.py", "return base(number)", "return base(number) + 0")
    said = made.prefectx("why", "working/clean/a.json")
    assert (
        "by way of pipeline.clean -> helpers.scaled -> deep.inner.base -> deep.inner.again"
        in said.out
    )
    assert "-    return base(number)\n+    return base(number) + 0\n" in said.out


def test_why_tells_of_files_arguments_and_inputs(made):
    (made / "raw/b.txt").write_text("4 5\n")
    found = json.loads(made.prefectx("why", "working/clean/b.json", "--json").out)[0]
    assert [each["text"] for each in found["differences"]] == ["the file raw/b.txt changed"]
    assert found["differences"][0]["before"].startswith("2 bytes, ")
    assert found["differences"][0]["now"].startswith("4 bytes, ")
    made.prefectx("run", "pipeline.py", "-o", 'stale="rerun"')
    found = json.loads(made.prefectx("why", "working/total.json", "--json").out)[0]
    assert found["differences"] == []
    assert [each["text"] for each in found["last"]] == [
        "an input was made anew: working/clean/b.json"
    ]
    made.replace("pipeline.py", '"sales")', '"sells")')
    said = made.prefectx("run", "pipeline.py")
    assert said.code == 1
    assert "the argument 'title' changed: 'sales' is now 'sells'" in said.err


def test_why_shows_the_lines_of_a_file_of_parameters_that_differ(made):
    (made / "params.yml").write_text("limit: 4\nmore: 1\n")
    said = made.prefectx("why", "working/total.json")
    assert "-limit: 3\n+limit: 4\n+more: 1\n" in said.out


def test_status_counts_by_task_and_cause(made):
    made.replace("helpers.py", "RATE * 3", "RATE * 4")
    (made / "raw/b.txt").write_text("4 5\n")
    (made / "working/report.json").unlink()
    rows = {row["task"]: row for row in json.loads(made.prefectx("status", "--json").out)}
    assert rows["clean"]["stale"] == {"code": 2, "files": 1}
    assert rows["report"]["missing"] == 1
    assert rows["total"]["finished"] == 1


def test_rm_shows_asks_and_deletes_no_more(made):
    said = made.prefectx("rm", "clean", "--where", "path.stem=a", "--downstream")
    assert said.code == 1
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [
        "working/clean/a.json", "working/report.json", "working/total.json",
    ]  # fmt: skip
    assert (made / "working/clean/a.json").exists()
    assert made.prefectx("rm", "clean", "--where", "path.stem=a", "--downstream", "-y").code == 0
    left = json.loads(made.prefectx("ls", "--json").out)
    assert [each["location"] for each in left] == ["working/clean/b.json"]
    assert not (made / "working/total.json").exists()
    made.prefectx("run", "pipeline.py")
    assert made.ran() == ["clean a", "report", "total"]


def test_orphans_are_what_a_complete_plan_does_not_make(made):
    (made / "raw/b.txt").unlink()
    found = json.loads(made.prefectx("ls", "--orphan", "pipeline.py", "--json").out)
    assert [each["location"] for each in found] == ["working/clean/b.json"]
    assert made.prefectx("rm", "--orphan", "pipeline.py", "--yes").code == 0
    assert not (made / "working/clean/b.json").exists()
    assert (made / "working/total.json").exists()


def test_outputs_of_other_flows_are_no_orphans(made):
    (made / "other.py").write_text(
        "from prefectx import flow, task\n"
        "@task(target='working/other.json')\n"
        "def other(): return 1\n"
        "@flow\n"
        "def another(): other()\n"
    )
    assert made.prefectx("run", "other.py").code == 0
    assert json.loads(made.prefectx("ls", "--orphan", "pipeline.py", "--json").out) == []
    assert json.loads(made.prefectx("ls", "--orphan", "other.py", "--json").out) == []


def test_accepted_code_counts_as_current_for_everybody(made):
    made.replace("helpers.py", "RATE * 3", "3 * RATE")
    records = sorted((made / ".prefectx/records").iterdir())
    assert made.prefectx("accept", "clean", "--cause", "code").code == 1  # nobody said yes
    assert made.prefectx("accept", "clean", "--cause", "code", "--yes").code == 0
    assert '["helpers.TABLE"]' in (made / "prefectx.accepted.toml").read_text()
    assert made.prefectx("plan", "pipeline.py", "--check", "-o", 'stale="rerun"').code == 0
    # A colleague has the file and the outputs, and not the records of this acceptance.
    for journal in set((made / ".prefectx/records").iterdir()) - set(records):
        journal.unlink()
    assert made.prefectx("plan", "pipeline.py", "--check", "-o", 'stale="rerun"').code == 0
    made.replace("helpers.py", "3 * RATE", "RATE * 3")  # the refactoring is taken back
    assert made.prefectx("plan", "pipeline.py", "--check", "-o", 'stale="rerun"').code == 0
    assert "It ran the last time" not in made.prefectx("why", "working/clean/a.json").out
    made.replace("helpers.py", "RATE * 3", "4 * RATE")
    assert made.prefectx("plan", "pipeline.py", "--check", "-o", 'stale="rerun"').code == 1


def test_accepted_files_and_edits_count_as_current(made):
    (made / "raw/b.txt").write_text("4 5\n")
    (made / "working/total.json").write_text("1")
    assert made.prefectx("accept", "--yes").code == 0
    assert made.prefectx("ls", "--stale").out == ""
    # What was made from the edited output is stale now, as its input is accepted as another one.
    assert made.prefectx("verify").code == 0


def test_outputs_from_before_records_are_counted_and_get_records(folder):
    assert folder.prefectx("run", "pipeline.py", PREFECTX_RECORDS="false").code == 0
    assert not list(folder.path.glob(".prefectx/records/*"))
    rows = json.loads(folder.prefectx("status", "pipeline.py", "--json").out)
    assert {row["task"]: row["unrecorded"] for row in rows} == {
        "clean": 2, "total": 1, "report": 1,
    }  # fmt: skip
    (folder / "raw/a.txt").write_text("5 6\n")
    folder.ran()
    assert folder.prefectx("run", "pipeline.py", "-o", 'stale="rerun"').code == 0
    assert folder.ran() == []  # nobody knows what they were made from
    assert folder.prefectx("accept", "--unrecorded", "pipeline.py").code == 1
    said = folder.prefectx("accept", "--unrecorded", "pipeline.py", "--yes")
    assert "4 outputs recorded." in said.err
    assert folder.prefectx("plan", "pipeline.py", "--check", "-o", 'stale="rerun"').code == 0
    rows = json.loads(folder.prefectx("status", "--json").out)
    assert sum(row["unrecorded"] for row in rows) == 0
    (folder / "raw/a.txt").write_text("5 6 7\n")
    assert folder.prefectx("run", "pipeline.py", "-o", 'stale="rerun"').code == 0
    assert folder.ran() == ["clean a", "report", "total"]


def test_verify_tells_damaged_edited_and_missing_apart(made):
    assert made.prefectx("verify").code == 0
    (made / "working/clean/a.json").write_text("[")
    (made / "working/clean/b.json").write_text("[1]")
    (made / "working/total.json").unlink()
    said = made.prefectx("verify", "--json")
    assert said.code == 1
    found = {each["location"]: each["finding"] for each in json.loads(said.out)["wrong"]}
    assert found == {
        "working/clean/a.json": "damaged",
        "working/clean/b.json": "edited",
        "working/total.json": "missing",
    }


def test_a_failed_call_is_replayed_with_its_arguments(made):
    made.replace("pipeline.py", "return [helpers", "return [1 / 0 * helpers")
    made.prefectx("rm", "clean", "--yes")
    assert made.prefectx("run", "pipeline.py").code == 1
    failed = json.loads(made.prefectx("ls", "--failed", "--json").out)
    assert {each["failed"] for each in failed} == {"working/clean/a.json", "working/clean/b.json"}
    before = sorted(made.path.rglob("*"))
    said = made.prefectx("replay", "working/clean/a.json")
    assert said.code == 1
    assert "ZeroDivisionError" in said.err
    assert "prefectx/calls" not in said.err
    made.replace("pipeline.py", "return [1 / 0 * helpers", "return [helpers")
    said = made.prefectx("replay", "working/clean/a.json")
    assert (said.code, said.out) == (0, "[6, 12]\n")
    assert sorted(made.path.rglob("*")) == before


def test_a_call_that_was_made_is_replayed_from_its_record(made):
    for location, result in [
        ("working/clean/a.json", "[6, 12]"),
        ("working/total.json", "37"),
        ("working/report.json", "{'title': 'sales', 'number': 37}"),
    ]:
        made.ran()
        said = made.prefectx("replay", location)
        assert (said.code, said.out.strip()) == (0, result), said.err


def test_only_one_task_runs(folder):
    said = folder.prefectx("run", "pipeline.py", "--only", "clean")
    assert folder.ran() == ["clean a", "clean b"]
    assert "total" in said.err


def test_audit_names_the_files_that_do_not_count(folder):
    (folder / "hidden.txt").write_text("3")
    folder.replace(
        "pipeline.py", 'return {"title"', "open('hidden.txt').read()\n    return {\"title\""
    )
    said = folder.prefectx("run", "pipeline.py", "--audit")
    assert '[tasks.report]\nfiles = ["hidden.txt"]' in said.err
    assert "tasks.clean" not in said.err
    assert said.code == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("why nothing", "nothing is no known output or task"),
        ("why clea", "did you mean clean?"),
        ("show /etc/passwd", "/etc/passwd was not made by a task, or has no record"),
        ("show raw/a.txt", "raw/a.txt was not made by a task, or has no record"),
        ("plan nope.py", "nope.py: file not found"),
        ("plan pipeline.py:nope", "there is no flow 'nope'"),
        ("plan helpers.py", "helpers.py: no flow is there"),
        ("plan no.module:x", "no.module:x: there is no module 'no'"),
        ("run pipeline.py --param x=1", "got an unexpected keyword argument 'x'"),
        ("run pipeline.py --param x", "--param x: write it as name=value"),
        ("rm", "say what to delete"),
        ("replay", "say which call"),
        ("replay --failed", "no call failed the last time"),
        ("ls --where year", "--where year: write it as field=value"),
        ("ls --where yer=1", "--where yer: no output has this field"),
        ("ls --output found.txt", "the suffix must be .csv, .json or .parquet"),
    ],
)
def test_what_is_wrong_is_one_clear_line(made, command, message):
    said = made.prefectx(*command.split())
    assert said.code == (1 if command == "replay --failed" else 2)
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""


@pytest.mark.parametrize("command", ["ls", "status", "verify", "ls --stale", "accept"])
def test_an_empty_project_is_no_error(tmp_path, command, monkeypatch, capfd):
    from prefectx.cli.app import run_command

    monkeypatch.chdir(tmp_path)
    assert run_command(command.split()) == 0
    assert "Traceback" not in capfd.readouterr().err


def test_a_reader_that_has_enough_ends_the_output(made):
    line = f'{sys.executable} -c "from prefectx.cli import main; main()" ls | head -1'
    environment = {"PREFECTX": "cache", **os.environ, "PYTHONPATH": str(PACKAGE)}
    said = subprocess.run(
        line, shell=True, cwd=made.path, env=environment, capture_output=True, text=True
    )
    assert said.stdout.startswith("location ")
    assert said.stderr == ""


def test_the_same_in_python(made, monkeypatch):
    import prefectx

    for name in ("pipeline", "helpers", "deep", "deep.inner"):  # not for other tests
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(made.path)
    with prefectx.override(root=made.path):
        found = prefectx.outputs("clean", where={"path.stem": "a"})
        assert [each.location for each in found] == ["working/clean/a.json"]
        assert list(found.to_pandas()["path"]) == ["raw/a.txt"]
        assert "working/clean/a.json" in found._repr_html_()
        assert why(found[0].item).status == "finished"
        assert "is what a call would make now" in str(prefectx.why("working/total.json"))

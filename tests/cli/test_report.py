"""`prefectx report` and `prefectx graph`, as a user runs them."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.records import project


@pytest.fixture
def run(folder):
    project.run(folder.path)
    return folder


def test_report(run):
    said = run.prefectx("report")
    assert (said.code, said.out) == (0, "")
    assert "report.html written" in said.err
    assert "4 outputs of 3 tasks" in said.err
    text = (run / "report.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert "working/clean/a.json" in text


def test_report_tells_what_is_stale_and_why(run):
    (run / "raw/a.txt").write_text("5 6 7\n")
    said = run.prefectx("report", "-o", "deep/er/page.html", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert found["report"] == str(run / "deep/er/page.html")
    assert found["bytes"] == Path(found["report"]).stat().st_size
    (clean,) = [task for task in found["tasks"] if task["task"] == "clean"]
    assert (clean["outputs"], clean["finished"], clean["stale"]) == (2, 1, 1)
    (stale,) = found["stale"]
    assert stale["kind"] == "files"
    text = Path(found["report"]).read_text()
    assert "prefectx why working/clean/a.json" in text


def test_the_command_that_a_failure_names_runs_it_again(folder):
    (folder / "raw/b.txt").write_text("three\n")
    project.run(folder.path)
    assert folder.prefectx("report").code == 0
    text = (folder / "report.html").read_text()
    assert "invalid literal for int()" in text
    command = "prefectx replay working/clean/b.json"
    assert command in text
    said = folder.prefectx(*command.split()[1:])
    assert said.code == 1
    assert "invalid literal for int()" in said.err


def test_without_previews(run):
    assert "Previews" in (run.prefectx("report"), (run / "report.html").read_text())[1]
    run.prefectx("report", "--no-previews")
    assert "Previews" not in (run / "report.html").read_text()


@pytest.mark.parametrize("command", ["report", "graph"])
def test_without_records(folder, command):
    said = folder.prefectx(command)
    assert said.code == 1
    assert said.err == f"no records are in {folder.path}/.prefectx: nothing was made there yet\n"


@pytest.mark.parametrize("command", ["report", "graph"])
def test_where_nothing_can_be_written(run, command):
    (run / "file").write_text("")
    said = run.prefectx(command, "-o", "file/x.html")
    assert said.code == 1
    assert said.err == f"{run.path}/file/x.html cannot be written: Not a directory\n"
    said = run.prefectx(command, "-o", "raw")
    assert said.code == 1
    assert said.err == f"{run.path}/raw cannot be written: Is a directory\n"


def test_settings_go_by_their_long_name(run):
    said = run.prefectx("report", "--option", "root=elsewhere")
    assert said.code == 1
    assert "elsewhere" in said.err


def test_graph(run):
    said = run.prefectx("graph")
    assert said.code == 0
    assert [line.split("  (")[0] for line in said.out.splitlines()] == [
        *("clean", "    -> total", "total", "    -> report", "report"),
    ]
    assert "    -> total  (2)" in said.out


def test_graph_in_other_languages(run):
    assert run.prefectx("graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    assert '"clean" -> "total" [label="2"];' in run.prefectx("graph", "--format", "dot").out
    ElementTree.fromstring(run.prefectx("graph", "--format", "svg").out)
    found = json.loads(run.prefectx("graph", "--json").out)
    assert [task["name"] for task in found["tasks"]] == ["clean", "total", "report"]
    assert {(e["source"], e["target"], e["outputs"]) for e in found["edges"]} == {
        ("clean", "total", 2),
        ("total", "report", 1),
    }
    said = run.prefectx("graph", "--format", "png")
    assert said.code == 2


@pytest.mark.parametrize(
    ("name", "begin"),
    [("t.svg", "<svg"), ("t.mmd", "flowchart"), ("t.DOT", "digraph"), ("t.txt", "clean  (")],
)
def test_the_suffix_says_the_language(run, name, begin):
    assert run.prefectx("graph", "-o", name).code == 0
    assert (run / name).read_text().startswith(begin)

"""The page that a flow run writes when it ends."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.records import project

FLOW = """\
    import os
    import sys

    from prefectx import flow, task

    @task(target="working/{number}.json")
    def half(number):
        if number % 2:
            raise ValueError(f"odd <b>{number}</b>")
        return number // 2

    @task(target="working/after-{number.stem}.json")
    def after(number):
        return number

    @flow
    def inner(limit):
        halves = half.map(range(limit))
        [future.wait() for future in (*halves, *after.map(halves))]

    @flow
    def outer(limit):
        inner(limit)
        assert not os.path.exists("page.html"), "an inner run wrote it"
        if limit > 4:
            raise KeyError("too many")

    if __name__ == "__main__":
        outer(int(sys.argv[1]))
        print("modules", sorted(m for m in sys.modules if m in ("prefect", "prefectx.reports")))
    """


@pytest.fixture
def here(tmp_path) -> Path:
    (tmp_path / "prefectx.toml").write_text('report = "page.html"\n')
    (tmp_path / "flows.py").write_text(dedent(FLOW))
    return tmp_path


def test_at_the_end_of_the_outermost_flow(here):
    said = project.python(here, "flows.py", "4")
    assert f"outer: report: {here}/page.html" in said
    assert "modules ['prefectx.reports']" in said
    text = (here / "page.html").read_text()
    assert "<title>outer</title>" in text
    assert "The flow ended after" in text
    assert "odd &lt;b&gt;1&lt;/b&gt;" in text
    assert "prefectx replay working/1.json" in text
    for name, count in {"ran": 4, "failed": 2, "not run": 2, "outputs": 4}.items():
        assert f"<dt>{name}</dt><dd>{count}</dd>" in text


def test_a_second_run_tells_what_was_skipped(here):
    for _ in range(2):
        (here / "page.html").unlink(missing_ok=True)
        project.python(here, "flows.py", "1")
    text = (here / "page.html").read_text()
    assert "<dt>skipped</dt><dd>2</dd>" in text
    assert "<dt>ran</dt><dd>0</dd>" in text


def test_of_a_flow_that_fails(here):
    said = project.python(here, "flows.py", "6")
    assert "KeyError: 'too many'" in said
    assert "The flow failed after" in (here / "page.html").read_text()


def test_a_page_that_cannot_be_written_is_a_warning(here):
    (here / "file").write_text("")
    said = project.python(here, "flows.py", "2", PREFECTX_REPORT="file/page.html")
    assert "WARNING" in said
    assert "no report of this run: ReportError: " in said
    assert "file/page.html cannot be written: Not a directory" in said
    assert "modules" in said  # the flow has ended well


def test_none_without_the_setting_or_in_function_mode(here):
    said = project.python(here, "flows.py", "1", PREFECTX="function")
    assert "modules []" in said
    (here / "prefectx.toml").write_text("")
    said = project.python(here, "flows.py", "1")
    assert "modules []" in said
    assert not (here / "page.html").exists()


def test_none_of_a_plan(here):
    command = "from prefectx.cli import main; main()"
    said = project.python(here, "-c", command, "plan", "flows.py:outer", "--param", "limit=2")
    assert "would run" in said
    assert not (here / "page.html").exists()


def test_calls_of_other_processes(here):
    said = project.python(here, "flows.py", "4", PREFECTX_RUNNER__TYPE="processes")
    assert "outer: report" in said
    text = (here / "page.html").read_text()
    assert "<dt>ran</dt><dd>4</dd>" in text
    assert "<dt>outputs</dt><dd>4</dd>" in text
    assert "<dt>failed</dt><dd>2</dd>" in text


@pytest.mark.prefect
@pytest.mark.parametrize("mode", ["prefect.skiptask", "prefect.cachetask", "prefect"])
def test_the_run_of_prefect_links_it(here, on_prefect, mode):
    said = project.python(here, "flows.py", "4", PREFECTX=mode, PREFECT_API_URL=on_prefect)
    assert "modules ['prefect', 'prefectx.reports']" in said, said
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
    from prefect.client.schemas.sorting import ArtifactSort

    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_="prefectx-outer-report")),
            sort=ArtifactSort.CREATED_DESC,
        )
        artifact = found[0]
        assert artifact.type == "markdown"
        assert f"]({(here / 'page.html').as_uri()})" in artifact.data
        assert f"`{here}/page.html`" in artifact.data
        assert client.read_flow_run(artifact.flow_run_id).flow_id is not None
        inner = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_="prefectx-inner-report"))
        )
        assert inner == []
    assert "<title>outer</title>" in (here / "page.html").read_text()


def test_data_of_the_page_is_json(here):
    project.python(here, "flows.py", "4")
    from tests.reports.test_page import data_of

    json.dumps(data_of((here / "page.html").read_text()))


UNKEPT = """\
    from prefectx import flow, task

    @task(target=None)
    def look(number, same):
        raise ValueError("no" if same else f"no {number}")

    @flow
    def looking(same):
        [future.wait() for future in look.map(range(3), same=same)]

    if __name__ == "__main__":
        import sys
        looking(sys.argv[1] == "same")
    """


@pytest.mark.parametrize("kind", ["same", "different"])
def test_failed_calls_without_an_output_are_counted_once(here, kind):
    (here / "flows.py").write_text(dedent(UNKEPT))
    project.python(here, "flows.py", kind)
    text = (here / "page.html").read_text()
    assert "3 calls failed the last time." in text
    assert '<div class="tile bad"><dt>failed</dt><dd>3</dd>' in text
    assert "look(number=" in text
    assert "prefectx replay look" in text

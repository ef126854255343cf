"""The page as HTML: complete, escaped, small, and without anything from elsewhere."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from prefectx.inspection.project import Project
from prefectx.monitoring.summary import RunSummary, TaskSummary
from prefectx.reports import TaskGraph, collect, drawn, page
from prefectx.reports.graph import Edge, TaskNode, layers
from tests.reports import journals

HOSTILE = (
    "</script></style>--><img src=x onerror=alert(1)><svg/onload=alert(2)>\"'`&amp;\x00\x1b\u202e"
)
VOID = {"meta", "br", "img", "input", "path", "rect", "link", "hr"}


class Parsed(HTMLParser):
    """Tags with their attributes, the text, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif not self._open or self._open[-1] != "style":
            self.text += data


def data_of(text: str) -> dict:
    packed = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', text)
    return json.loads(gzip.decompress(base64.b64decode(packed[1])))


@pytest.fixture
def here(tmp_path, configure):
    configure('mode = "cache"')
    return tmp_path


def hostile(here) -> None:
    """Write records in which every text tries to be more than text."""
    run = journals.run_name(1)
    (here / "working").mkdir(exist_ok=True)
    (here / "working/t.csv").write_text(f'{HOSTILE},"b"\n{HOSTILE},2\n')
    (here / "working/t.svg").write_text(
        "<svg onload='alert(3)' xmlns='http://www.w3.org/2000/svg'/>"
    )
    journals.write(
        here,
        [
            journals.record("working/t.csv", HOSTILE, run=run, arguments={HOSTILE: repr(HOSTILE)}),
            journals.record("working/t.svg", "draw", run=run),
            journals.record(f"working/{HOSTILE}.json", "draw", run=run,
                            inputs={"x": [["working/t.csv", "0"]]}),
            journals.failure(f"working/{HOSTILE}", HOSTILE, run=run, error=f"E: {HOSTILE}",
                             traceback=HOSTILE, arguments={HOSTILE: HOSTILE}, reason=HOSTILE),
            journals.failure("", HOSTILE, run=run, kept="", reason=HOSTILE, error=HOSTILE),
        ],
        {run: HOSTILE},
    )  # fmt: skip


def test_text_stays_text(here):
    hostile(here)
    run = RunSummary(HOSTILE, tasks={HOSTILE: TaskSummary(failed=1)})
    run.stale = {HOSTILE: {str(here / "working/t.csv"): (HOSTILE,)}}
    for text in (
        page(collect(Project(), run, ValueError(HOSTILE))),
        page(collect(Project())),
    ):
        found = Parsed(text)
        names = {tag for tag, _ in found.tags}
        assert sum(tag == "script" for tag, _ in found.tags) == 2
        assert all(tag != "img" or attributes["src"].startswith("data:image/")
                   for tag, attributes in found.tags)  # fmt: skip
        assert names.isdisjoint(
            {"iframe", "object", "embed", "base", "form", "link", "foreignobject"}
        )
        for _, attributes in found.tags:
            assert not [name for name in attributes if name.startswith("on")]
            for name in ("src", "href", "action", "xlink:href"):
                assert re.match(r"#|data:image/|$", attributes.get(name) or "")
        assert "onerror=alert(1)" in found.text  # it is shown
        assert "\x00" not in text
        assert "\u202e" not in text
        data_of(text)


def test_nothing_comes_from_elsewhere(here):
    hostile(here)
    text = page(collect(Project()))
    policy = next(a["content"] for t, a in Parsed(text).tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "connect-src" not in policy
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # the name of a language, nothing to load


def test_ten_thousand_calls_are_small(here):
    journals.write(here, journals.large(10_000, processes=64, failed=500))
    report = collect(Project())
    text = page(report)
    assert len(text.encode()) < 1_000_000
    found = data_of(text)
    assert len(found["rows"]["location"]) == 10_000
    fields = found["sessions"][0]["bars"]
    assert sum(abs(count) for count in fields[5::7]) + found["sessions"][0]["left"] == 10_500
    assert "500 calls failed" in Parsed(text).text


def test_thousands_of_tasks_do_not_make_it_large(here):
    lines = [
        journals.record(
            f"working/{number}.json", f"task-{number}", made=journals.BEGAN + number,
            inputs={"x": [[f"working/{max(number - 3, 0)}.json", "0"]]},
        )
        for number in range(3000)
    ]  # fmt: skip
    journals.write(here, lines)
    run = RunSummary("flow", tasks={f"task-{n}": TaskSummary(ran=1) for n in range(3000)})
    for report in (collect(Project()), collect(Project(), run)):
        text = page(report)
        assert len(text) < 800_000
        assert "3,000 tasks are too many" in text
        assert "2,800 more tasks" in text


def test_failures_with_one_cause_are_told_once(here):
    journals.write(here, journals.large(10, failed=500))
    text = Parsed(page(collect(Project()))).text
    assert "500 times" in text
    assert text.count("Traceback (most recent call last)") == 1
    assert "prefectx replay working/clean/broken-" in text
    assert "and 495 more" in text


def test_a_command_is_quoted(here):
    journals.write(here, [journals.failure("working/a b'c; rm -rf.json")])
    text = Parsed(page(collect(Project()))).text
    assert """prefectx replay 'working/a b'"'"'c; rm -rf.json'""" in text


NAMES = st.text(min_size=1, max_size=40)


@st.composite
def graphs(draw) -> TaskGraph:
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    pairs = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=14))
    edges = [Edge(*pair, 3) for pair in sorted(pairs)]
    return TaskGraph([TaskNode(name, 2, failed=1) for name in names], edges)


@given(graphs())
@examples(deadline=None)
def test_a_drawing_is_well_formed_and_nothing_overlaps(graph):
    root = ElementTree.fromstring(drawn(graph))
    spaces = {"": "http://www.w3.org/2000/svg"}
    boxes = [
        {k: float(v) for k, v in box.attrib.items()} for box in root.iterfind(".//rect", spaces)
    ]
    assert len(boxes) == len(graph.nodes)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for box in boxes:
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height + 1
    for one in range(len(boxes)):
        for other in range(one):
            a, b = boxes[one], boxes[other]
            assert (
                a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
                or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
            )  # fmt: skip
    arrows = [p for p in root.iterfind("path", spaces) if "marker-end" in p.attrib]
    assert len(arrows) == len(graph.edges)


@given(graphs())
def test_a_task_is_after_those_that_it_reads_from(graph):
    names = [node.name for node in graph.nodes]
    order = layers(names, graph.edges)
    assert sorted(name for layer in order for name in layer) == sorted(names)
    rank = {name: number for number, layer in enumerate(order) for name in layer}
    reached = {name: {e.target for e in graph.edges if e.source == name} for name in names}
    for _ in names:
        for name in names:
            reached[name] |= {far for near in reached[name] for far in reached[near]}
    for source, target, _ in graph.edges:
        if source not in reached[target]:  # no circle
            assert rank[source] < rank[target]


@given(graphs())
def test_other_languages_stay_whole(graph):
    assert len(graph.mermaid().splitlines()) == 1 + len(graph.nodes) + len(graph.edges)
    for line in graph.mermaid().splitlines()[1:]:
        assert re.fullmatch(r'    t\d+(\["[^"]*"\]| -->\|3\| t\d+)', line)
    assert len(graph.text().splitlines()) == len(graph.nodes) + len(graph.edges)
    for line in graph.dot().splitlines()[3:-1]:
        text = r'"(?:[^"\\]|\\.)*"'
        assert re.fullmatch(rf"    {text}( -> {text})? \[label={text}\];", line)

"""What some outputs hold, as the page shows it: of real outputs of real tasks."""

import gzip

import numpy
import pandas
import pytest
from PIL import Image

from prefectx import task
from prefectx.inspection.project import Project
from prefectx.reports import collect, page
from tests.reports import journals
from tests.reports.test_page import Parsed


@pytest.fixture
def here(tmp_path, configure):
    configure('mode = "cache"')
    return tmp_path


def made(name: str, data: object):
    """Let a task make an output; return its preview."""

    @task(target=f"working/{name}", name="make")
    def make():
        return data

    make()
    (preview,) = collect(Project()).previews
    assert preview.location == f"working/{name}"
    return preview


TABLE = pandas.DataFrame({"name": [f"<b>{n}</b>" for n in range(50)], "value": range(50)})


@pytest.mark.parametrize(
    "name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.csv.xz", "t.csv.bz2"]
)
def test_the_head_of_a_table(here, name):
    found = made(name, TABLE)
    assert list(found.columns) == ["name", "value"]
    assert len(found.rows) == 8
    assert found.rows[0] == ["<b>0</b>", "0"]
    assert "&lt;b&gt;0&lt;/b&gt;" in page(collect(Project()))


def test_a_wide_table_is_cut(here):
    wide = pandas.DataFrame({f"c{n}": [1, 2] for n in range(300)})
    for name in ("w.csv", "w.parquet"):
        found = made(name, wide)
        assert list(found.columns) == [f"c{n}" for n in range(8)]
        assert "300 columns" in found.note or "292 more columns" in found.note
        Project().named(f"working/{name}")[0].item.delete()


@pytest.mark.parametrize("name", ["t.json", "t.txt", "t.md"])
def test_the_head_of_a_text(here, name):
    data = {"key": "<i>"} if name == "t.json" else "first <i>\n" + "line\n" * 500
    found = made(name, data)
    assert "<i>" in found.text
    assert len(found.text.splitlines()) <= 13
    assert "&lt;i&gt;" in page(collect(Project()))


def picture(side: int) -> Image.Image:
    noise = numpy.random.default_rng(1).integers(0, 255, (side, side, 3), dtype="uint8")
    return Image.fromarray(noise)


def test_a_picture_is_made_small(here):
    found = made("p.png", picture(2000))
    assert found.picture.startswith("data:image/jpeg;base64,")
    assert len(found.picture) < 600_000
    assert "2,000 x 2,000 pixels" in found.note


def test_a_small_picture_stays_as_it_is(here):
    assert made("p.png", picture(20)).picture.startswith("data:image/png;base64,")


def test_few_bytes_with_many_pixels_are_not_shown(here):
    (here / "working").mkdir()
    path = here / "working/p.png"
    Image.new("1", (20_000, 20_000)).save(path)
    state = path.stat()
    assert state.st_size < 100_000
    journals.write(
        here, [journals.record("working/p.png", size=state.st_size, mtime=state.st_mtime_ns)]
    )
    (found,) = collect(Project()).previews
    assert (found.picture, found.note) == ("", "400,000,000 pixels")


def test_a_drawing_cannot_run_anything(here):
    found = made("p.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    assert found.picture.startswith("data:image/svg+xml;base64,")
    parsed = Parsed(page(collect(Project())))
    assert sum(tag == "script" for tag, _ in parsed.tags) == 2


def test_pictures_have_a_budget(here):
    for number in range(24):

        @task(target="working/{name}.png", name=f"draw-{number}")
        def draw():
            return picture(640)

        draw()
    report = collect(Project())
    assert len(report.previews) == 24
    assert any("left out" in preview.note for preview in report.previews)
    assert len(page(report)) < 1_000_000


DAMAGED = [
    b"",
    b"\xff\x00\x80garbage\n\xfe",
    b"\x89PNG\r\n\x1a\n" * 9000,
    gzip.compress(b"a,b\n1,2\n")[:-9],
    gzip.compress(b"a,b\n1,2\n")[:10] + b"\xff" * 30,
    b'"' * 200_000,
]
SUFFIXES = ["png", "csv.gz", "parquet", "json", "csv", "svg", "csv.xz", "csv.bz2", "txt"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_output_is_told_and_no_error(here, suffix, content):
    (here / "working").mkdir()
    (here / f"working/x.{suffix}").write_bytes(content)
    state = (here / f"working/x.{suffix}").stat()
    journals.write(here, [journals.record(f"working/x.{suffix}", size=state.st_size,
                                          mtime=state.st_mtime_ns)])  # fmt: skip
    report = collect(Project())
    assert len(report.previews) == 1
    Parsed(page(report))


def test_a_pickle_is_not_loaded(here):
    class Evil:
        def __reduce__(self):
            return (print, ("loaded",))

    (here / "working").mkdir()
    import pickle

    (here / "working/x.pkl").write_bytes(pickle.dumps(Evil()))
    journals.write(here, [journals.record("working/x.pkl"), journals.record("working/x")])
    assert collect(Project()).previews == []


def test_the_latest_of_each_task(here):
    @task(target="working/{n}.txt")
    def note(n):
        return f"number {n}"

    for number in range(5):
        note(number)
    found = [preview.text for preview in collect(Project()).previews]
    assert len(found) == 2
    assert set(found) <= {f"number {n}" for n in range(5)}

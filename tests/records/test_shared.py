"""Two machines that keep their outputs in one bucket, and other stores."""

import shutil
from uuid import uuid4

import pytest

import prefectx
from prefectx import SqlStore, Store, flow, load, task
from tests.records import project
from tests.records.project import replace, run

ALL = ["clean a", "clean b", "report", "total"]


def test_two_machines_and_a_bucket(s3, tmp_path):
    """Each sees what the other has made, from which code, and what is out of date."""
    access = {
        "AWS_ACCESS_KEY_ID": s3["key"],
        "AWS_SECRET_ACCESS_KEY": s3["secret"],
        "AWS_ENDPOINT_URL": s3["endpoint_url"],
        "PREFECTX_ROOT": f"s3://bucket/{uuid4().hex}",
    }
    one, two = tmp_path / "one", tmp_path / "two"
    project.write(one)
    shutil.copytree(one, two)
    assert run(one, **access).ran == ALL
    second = run(two, PREFECTX_STALE="rerun", **access)
    assert (second.ran, second.stale) == ([], {}), second.output
    replace(two, "helpers.py", "return number + 1", "return number + 2")
    kept = run(two, **access)
    assert (kept.ran, list(kept.stale)) == ([], ["total"]), kept.output
    again = run(two, PREFECTX_STALE="rerun", **access)
    assert again.ran == ["report", "total"]
    older = run(one, **access)
    assert list(older.stale) == ["total"], older.output


class Memory(Store):
    """A store that tells nothing but the data."""

    data: dict[str, object] = {}  # noqa: RUF012  # all of them share it

    def exists(self, location):
        return location in self.data

    def save(self, location, data):
        self.data[location] = data

    def load(self, location):
        return self.data[location]

    def delete(self, location):
        del self.data[location]


@pytest.mark.parametrize("kind", ["sqlite", "own"])
def test_other_stores(kind, tmp_path):
    """An input that was made anew with other content makes what was made from it stale."""
    store = SqlStore(f"sqlite:///{tmp_path / 'x.db'}") if kind == "sqlite" else Memory()
    ran, numbers = [], [1]

    @task(target="part", store=store, version="1")
    def part():
        ran.append("part")
        return {"number": numbers[0]}

    @task(target="total", store=store, version="1")
    def total(found):
        ran.append("total")
        return found["number"] + 1

    @flow
    def pipeline():
        return load(total.submit(part.submit()))

    with prefectx.override(mode="cache", root=tmp_path, stale="rerun"):
        assert pipeline() == 2
        ran.clear()
        assert pipeline() == 2
        assert ran == []
        store.delete("part")
        assert pipeline() == 2
        assert ran == ["part"]
        ran.clear()
        numbers[0] = 5
        store.delete("part")
        # A store that tells nothing of its outputs cannot say that one is another.
        assert pipeline() == (6 if kind == "sqlite" else 2)


def test_an_output_in_a_database_that_another_client_has_changed(tmp_path):
    store = SqlStore(f"sqlite:///{tmp_path / 'x.db'}")

    @task(target="part", store=store)
    def part():
        return 1

    with prefectx.override(mode="cache", root=tmp_path, stale={"edited": "rerun"}):
        item = part()
        store.save("part", 2)
        prefectx.testing.reset()
    with prefectx.override(mode="cache", root=tmp_path, stale={"edited": "rerun"}):
        assert part().load() == 1
    assert item.exists()

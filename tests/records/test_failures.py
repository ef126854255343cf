"""Calls that fail leave a record: who, with which arguments, why."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

import prefectx
from prefectx import flow, task
from prefectx.records import Failure, Records, records_in
from prefectx.records.records import reset


def failures_in(root) -> list[Failure]:
    reset()
    return records_in(str(root)).failures()


@pytest.fixture(autouse=True)
def project(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path):
        yield


@task(target="out/{n}.json")
def fail(n, data=None):
    raise ValueError(f"no {n}")


@task
def make(n):
    return [n]


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_a_failed_call_is_recorded_with_its_arguments_and_its_traceback(tmp_path, runner):
    @flow
    def pipeline():
        fail.submit(3, make.submit(1))

    with prefectx.override(runner={"type": runner}):
        pipeline()
    (found,) = failures_in(tmp_path)
    assert found.failed == "out/3.json"
    assert found.task == "fail"
    assert found.arguments["n"] == "3"
    assert "working/make/1" in found.arguments["data"]
    assert found.error == "ValueError: no 3"
    assert "in fail" in found.traceback
    assert "prefectx/calls" not in found.traceback
    assert found.kept


def test_a_call_that_succeeds_later_did_not_fail_the_last_time(tmp_path):
    broken = True

    @task(target="out/{n}.json", name="sometimes")
    def sometimes(n):
        if broken:
            raise ValueError(n)
        return n

    with pytest.raises(ValueError, match="1"):
        sometimes(1)
    assert len(failures_in(tmp_path)) == 1
    broken = False
    sometimes(1)
    assert failures_in(tmp_path) == []


def test_a_failure_of_a_task_that_keeps_nothing_is_recorded_by_its_name(tmp_path):
    with pytest.raises(ValueError, match="no 1"):
        fail.with_options(target=None)(1)
    (found,) = failures_in(tmp_path)
    assert (found.failed, found.task) == ("", "fail")


@pytest.mark.parametrize(
    "value",
    [SecretStr("hunter2"), {"a": [SecretStr("hunter2")]}, "postgresql://me:hunter2@host/db"],
)
def test_secrets_are_neither_shown_nor_kept(tmp_path, value):
    with pytest.raises(ValueError, match="no 1"):
        fail(1, value)
    (found,) = failures_in(tmp_path)
    assert not found.kept
    assert found.reason == "the argument 'data' is secret"
    for file in (tmp_path / ".prefectx").rglob("*"):
        assert not file.is_file() or b"hunter2" not in file.read_bytes()


def test_large_arguments_are_not_kept(tmp_path):
    with pytest.raises(ValueError, match="no 1"):
        fail(1, bytes(11_000_000))
    (found,) = failures_in(tmp_path)
    assert (found.kept, found.reason) == ("", "the arguments are larger than 10 MB")


def test_without_pickle_and_without_records_nothing_is_kept(tmp_path):
    with prefectx.override(allow_pickle=False), pytest.raises(ValueError, match="no 1"):
        fail(1)
    (found,) = failures_in(tmp_path)
    assert (found.kept, found.reason) == ("", "allow_pickle = false")
    with prefectx.override(records=False), pytest.raises(ValueError, match="no 2"):
        fail(2)
    assert len(failures_in(tmp_path)) == 1


def test_failures_and_hosts_outlive_the_merging_of_journals(tmp_path, monkeypatch):
    monkeypatch.setattr("prefectx.records.snapshot._MANY", 2)
    with pytest.raises(ValueError, match="no 1"):
        fail(1)
    for n in range(6):
        reset()
        make(n)
    found = failures_in(tmp_path)
    assert [each.failed for each in found] == ["out/1.json"]
    records: Records = records_in(str(tmp_path))
    assert records.run(found[0].run)["python"]
    made = list(records.all())
    assert [record.location for record in made] == [f"working/make/{n}" for n in range(6)]
    assert all(records.run(record.run)["host"] for record in made)


def test_an_output_that_was_removed_has_no_record_until_it_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr("prefectx.records.snapshot._MANY", 2)
    item = make(1)
    records = records_in(str(tmp_path))
    records.remove("working/make/1", "make")
    assert list(records.all()) == []
    assert records.find(item) == []
    for n in range(2, 6):
        reset()
        make(n)
    reset()
    assert records_in(str(tmp_path)).find(item) == []
    item.delete()
    make(1)
    assert len(records_in(str(tmp_path)).find(item)) == 1


def test_a_password_is_not_part_of_a_path(tmp_path):
    @task
    def connect(host, password="hunter2"):
        return host

    first, second = connect("db"), connect("db", "hunter3")
    assert first != second
    assert "hunter" not in first.location + second.location
    assert first.name.startswith("db-")

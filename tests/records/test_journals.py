"""Journals and snapshots: what they hold, and that damage to them harms nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

import prefectx
import prefectx.testing
from prefectx import Filestore, Item, flow, task
from prefectx.records import Record, Records, records_in
from prefectx.versions import version_of_path

KILLS = int(os.environ.get("EXAMPLES", "40"))


@task(target="working/{x}.json")
def double(x, password="", secret=None):
    return 2 * x


def journals(folder):
    return sorted((folder / ".prefectx" / "records").glob("*.jsonl"))


def forget():
    """Act as a new process would."""
    prefectx.testing.reset()


@pytest.fixture
def cache(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path):
        yield tmp_path


def test_a_record_tells_what_an_output_was_made_from(cache):
    double(3)
    (journal,) = journals(cache)
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert lines[0]["format"] == 1
    record = lines[-1]
    path = cache / "working" / "3.json"
    assert record["location"] == "working/3.json"
    assert record["task"] == "double"
    assert record["function"] == "tests.records.test_journals:double"
    assert record["arguments"]["x"] == "3"
    assert (record["size"], record["mtime"]) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert record["version"] == version_of_path(str(path))
    assert "return 2 * x" in str(lines[1]["sources"])
    ignored = (cache / ".prefectx" / ".gitignore").read_text()
    assert "!types/" in ignored


def test_secrets_are_not_recorded(cache):
    double(1, password="hunter2", secret=SecretStr("hunter3"))

    @task(target="two.json")
    def connect(url, token):
        return 1

    connect("postgresql://me:hunter4@host/db", "hunter5")
    text = "".join(path.read_text() for path in journals(cache))
    assert "hunter" not in text
    assert "postgresql://me:***@host/db" in text


def test_records_can_be_switched_off(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path, records=False):
        double(1)
    assert not (tmp_path / ".prefectx").exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-7], None),
        (lambda content: content.replace(b'"task"', b'"tusk"'), "damaged"),
        (lambda content: content.replace(b'"size"', b'"version":5,"size"'), "cannot be read"),
        (lambda content: b"\x00\xff" * 300 + b"\n" + content, "damaged"),
        (lambda content: b"hello\n", "damaged"),
        (lambda content: b"", None),
        (lambda content: content.replace(b'"format":1', b'"format":99', 1), "format 99"),
    ],
)
def test_damage_is_a_warning_and_nothing_is_stale(damage, said, cache, caplog):
    double(3)
    (journal,) = journals(cache)
    content = damage(journal.read_bytes())
    forget()
    journal.write_bytes(content)
    with prefectx.override(mode="cache", root=cache, stale="error"):
        assert double(3).load() == 6
        assert double(4).load() == 8
    if said is not None:
        assert said in caplog.text
        assert caplog.text.count(said) == 1


def test_a_folder_that_cannot_be_written_is_a_warning(cache, caplog):
    (cache / ".prefectx").write_text("a file, where the folder should be")
    assert double(3).load() == 6
    assert double(4).load() == 8
    assert caplog.text.count("No records are kept") == 1


def test_many_journals_are_merged(cache):
    """Every process writes one; when there are many, one of the next merges the closed ones."""
    for x in range(40):
        double(x)
        forget()
    assert len(journals(cache)) < 40
    for x in range(40):
        item = Item(Filestore(), str(cache / f"working/{x}.json"))
        (record,) = records_in(str(cache)).find(item)
        assert record.arguments["x"] == str(x)
    with prefectx.override(mode="cache", root=cache, stale="rerun"):
        ran = []

        @flow
        def all_of_them():
            ran.append(double.map(range(40)).wait())

        all_of_them()
        assert all_of_them.last_run.tasks["double"].skipped == 40


def test_a_journal_that_is_gone_hides_no_other(cache):
    """As when another process merges it while the folder is listed."""
    double(3)
    (journal,) = journals(cache)
    (journal.parent / "gone.jsonl").symlink_to("nowhere")
    forget()
    (record,) = records_in(str(cache)).find(Item(Filestore(), str(cache / "working/3.json")))
    assert record.arguments["x"] == "3"


def test_a_journal_of_another_version_is_not_merged(cache):
    """Its lines may say what this version does not know."""
    double(0)
    (journal,) = journals(cache)
    forget()
    newer = journal.with_name("newer.jsonl")
    newer.write_bytes(b'{"format":99}\n{"something":"else"}\n')
    for x in range(1, 40):
        double(x)
        forget()
    assert len(journals(cache)) < 40
    assert newer.read_bytes() == b'{"format":99}\n{"something":"else"}\n'


def test_nothing_is_lost_while_others_merge(tmp_path):
    """A journal that is opened while another process merges is not removed with the closed ones."""

    def write(number):
        for n in range(30):
            records = Records(str(tmp_path))
            records.add(Record(f"{number}-{n}.json", "t", "m:t", None, 1, 1, {}))
            records.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    found = Records(str(tmp_path))
    names = [f"{number}-{n}.json" for number in range(8) for n in range(30)]
    items = {name: Item(Filestore(), str(tmp_path / name)) for name in names}
    assert [name for name, item in items.items() if not found.find(item)] == []


def test_an_earlier_output_that_is_put_back_is_known(cache):
    """The record of an output is that of its bytes, not the last that was written."""
    calls = []

    @task(target="one.json", version="1", stale="rerun")
    def one(x):
        calls.append(x)
        return x

    path = cache / "one.json"
    one(1)
    old, times = path.read_bytes(), path.stat()
    forget()
    with prefectx.override(mode="cache", root=cache):
        one(2)
    forget()
    path.write_bytes(old)
    with prefectx.override(mode="cache", root=cache):
        assert one(1).load() == 1
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert one(1).load() == 1
    assert calls == [1, 2]


def test_threads_write_whole_lines(cache):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(double, range(200)))
    lines = [line for path in journals(cache) for line in path.read_text().splitlines()]
    assert sum("working/" in line and bool(json.loads(line)) for line in lines) == 200


WRITER = """
import random, sys
import prefectx

@prefectx.task(target="{n}.txt", refresh=True, fsync=False)
def write(n, text):
    return text

with prefectx.override(mode="cache", root=sys.argv[1], stale="rerun"):
    print("begun", flush=True)
    while True:
        write(random.randrange(3), "x" * random.choice([10, 1000, 100_000]) + str(random.random()))
"""


@pytest.mark.slow
def test_no_kill_parts_an_output_from_its_record(tmp_path):
    """Of every output there is a record with its size, time and bytes."""
    for _ in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        time.sleep(random.random() * 0.05)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        forget()
        for path in tmp_path.glob("*.txt"):
            found = records_in(str(tmp_path)).find(Item(Filestore(), str(path)))
            state = (path.stat().st_size, path.stat().st_mtime_ns)
            versions = {r.version for r in found if (r.size, r.mtime) == state}
            assert versions == {version_of_path(str(path))}


@task(target="one.json", version="1")
def one_of_two(x):
    return x


@task(target="two.json", version="1", stale="rerun")
def two_of_two(found):
    return found + 1


def test_an_item_from_before_does_not_hide_that_its_output_was_made_anew(cache):
    """An item that somebody holds stands for what is there, not for what it was made with."""
    old = one_of_two(1)
    assert two_of_two(old).load() == 2
    old.save(5)
    assert two_of_two(old).load() == 6


def test_what_somebody_edited_is_replaced_only_if_that_is_asked_for(cache):
    first = one_of_two(1)
    item = two_of_two(first)
    item.save(100)
    first.save(5)
    assert two_of_two(first).load() == 100
    wanted = {"inputs": "rerun", "edited": "rerun"}
    assert two_of_two.with_options(stale=wanted)(first).load() == 6

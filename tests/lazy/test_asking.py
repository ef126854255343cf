"""What the plan and `why` tell of lazy and temporary outputs."""

from __future__ import annotations

import importlib
import sys

import pytest

import prefectx

PIPELINE = """
from prefectx import flow, task

@task(target="raw/{n}.json", lazy=True)
def raw(n):
    return n

@task(target="mid/{n}.json", temporary=True)
def mid(n, x):
    return x

@task(target="plain/{n}.json")
def plain(n):
    return n

@task(target="use/{n}.json")
def use(n, x, y):
    return [x, y]

@flow
def pipeline(count=2):
    mids = mid.map(range(count), [raw.submit(n) for n in range(count)])
    return use.map(range(count), mids, plain.map(range(count)))
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "prefectx.toml").write_text('mode = "cache"\n')
    (tmp_path / "asked_lazily.py").write_text(PIPELINE)
    prefectx.testing.reset()
    yield importlib.import_module("asked_lazily")
    del sys.modules["asked_lazily"]


def test_the_plan_tells_for_what_a_lazy_output_would_be_made(module):
    reasons = {call.location: call.reason for call in prefectx.plan(module.pipeline).calls}
    assert reasons["raw/0.json"] == "its lazy output is not there and would be made for mid"
    assert reasons["mid/1.json"] == "its lazy output is not there and would be made for use"
    assert reasons["plain/0.json"] == reasons["use/0.json"] == "its output is not there"


def test_why_does_not_say_that_the_next_call_makes_a_lazy_output(module, tmp_path):
    module.pipeline()
    for folder in ("raw", "plain"):
        (tmp_path / folder / "0.json").unlink()
    verdicts = {
        place: prefectx.why(place).verdict
        for place in ("raw/0.json", "mid/0.json", "plain/0.json", "use/0.json")
    }
    assert verdicts == {
        "raw/0.json": "is lazy and not there: it would be made for mid/0.json, if that has to run",
        "mid/0.json": "was deleted after use: it would be made for use/0.json, if that has to run",
        "plain/0.json": "is not there: the next call makes it",
        "use/0.json": "is what a call would make now: it is kept",
    }


def test_what_nothing_was_made_from_waits_to_be_needed(module, tmp_path):
    module.pipeline()
    prefectx.load(module.raw(7))
    (tmp_path / "raw/7.json").unlink()
    verdict = prefectx.why("raw/7.json").verdict
    assert verdict == "is lazy and not there: it is made when something needs it"

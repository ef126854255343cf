"""{now} and {today}: the start of the flow run, in the zone of the configuration."""

from __future__ import annotations

import datetime
import time
from zoneinfo import ZoneInfo

import pytest

import prefectx
from prefectx import flow, task
from prefectx.errors import ConfigError


@task(target="{now:%H%M%S%f}/{n}")
def stamped(n):
    return n


@task(target="inner/{n}")
def calls_another(n):
    return stamped(n).location


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_all_calls_of_a_flow_run_have_the_time_of_its_start(tmp_path, runner):
    @flow
    def inner():
        return stamped.submit(3).result()

    @flow
    def pipeline():
        first = stamped.submit(1).result()
        time.sleep(0.01)
        return first, stamped(2), inner(), calls_another.submit(5).result().load()

    with prefectx.override(mode="cache", root=tmp_path, runner={"type": runner}):
        one, two, three, nested = pipeline()
        folders = {each.location.split("/")[-2] for each in (one, two, three)}
        assert folders == {nested.split("/")[-2]}
        again = pipeline()[0].location.split("/")[-2]
    assert again not in folders


def test_outside_flows_it_is_the_time_of_the_call(tmp_path):
    with prefectx.override(mode="cache", root=tmp_path):
        one = stamped(1)
        time.sleep(0.01)
        assert stamped(1) != one


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", None])
def test_the_zone_is_that_of_the_configuration(tmp_path, zone):
    @task(target="{today}-{now:%H}")
    def dated():
        return 1

    with prefectx.override(mode="cache", root=tmp_path, timezone=zone):
        before = datetime.datetime.now(datetime.UTC)
        location = dated().name
        after = datetime.datetime.now(datetime.UTC)
    own = None if zone is None else ZoneInfo(zone)
    assert location in {f"{when.astimezone(own):%Y-%m-%d-%H}" for when in (before, after)}


def test_an_unknown_zone_is_a_mistake():
    with pytest.raises(ConfigError, match="a time zone: write its name"):
        prefectx.override(timezone="Mars/Olympus")

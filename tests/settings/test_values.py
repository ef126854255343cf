"""Durations and sizes as people write them."""

import pytest
from hypothesis import given, strategies

from prefectx import settings


def parse_duration(value):
    return settings.Keepalive(interval=value).interval


def format_duration(seconds):
    return settings.readable("keepalive.interval", seconds)


def parse_size(value):
    return settings.Dask(memory=value).memory


def parse_memory_limit(value):
    return settings.Dask(memory_limit=value).memory_limit


def parse_fraction(value):
    return settings.Dask(spill=value).spill


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("250ms", 0.25), ("1.5h", 5400),
        ("1h 30m", 5400), ("1h30m", 5400), ("10 minutes", 600), ("1 hour", 3600), ("5 min", 300),
        ("30", 30), (30, 30), (0.5, 0.5), (False, None), (None, None), ("off", None),
    ],
)  # fmt: skip
def test_durations(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "s", "-3s", "3x", "1h 5", "5 5", True, [], "1:30", "inf"])
def test_what_is_no_duration(written):
    with pytest.raises(ValueError, match="a duration"):
        parse_duration(written)


@given(strategies.integers(1, 10**8))
def test_a_duration_is_read_as_it_is_shown(seconds):
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("2GB", 2 * 10**9), ("512MiB", 512 * 2**20), ("1.5 kB", 1500), ("4G", 4 * 10**9),
        ("4gib", 4 * 2**30), ("100", 100), (100, 100), (2e9, 2 * 10**9),
    ],
)  # fmt: skip
def test_sizes(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "GB", "-1GB", "1,5GB", "2 GBB", True, 0, [], "1 GB 2"])
def test_what_is_no_size(written):
    with pytest.raises(ValueError, match="a size"):
        parse_size(written)


@pytest.mark.parametrize(
    ("written", "limit"),
    [("auto", "auto"), (False, None), ("0.5", 0.5), (0.5, 0.5), ("4GB", 4 * 10**9), (2048, 2048)],
)
def test_memory_limits(written, limit):
    assert parse_memory_limit(written) == limit


def test_thresholds_can_be_turned_off_or_left_to_dask():
    assert [parse_fraction(value) for value in (0.8, False, None)] == [0.8, False, None]


@given(strategies.floats() | strategies.text() | strategies.integers() | strategies.none())
def test_every_reader_accepts_what_it_returns(value):
    for parse in (parse_duration, parse_size, parse_memory_limit, parse_fraction):
        try:
            parsed = parse(value)
        except ValueError:
            continue
        assert parse(parsed) == parsed


SCALARS = ["1.10", "1", "007", "1e3", "true", "null", "NaN", "-0", "2024-01-02", "yes", "0x10"]


@pytest.mark.parametrize("text", SCALARS)
def test_a_value_from_the_environment_keeps_its_text(monkeypatch, text):
    """1.10 is another version than 1.1: the outputs of one are not those of the other."""
    monkeypatch.setenv("PREFECTX_CONTEXT__VERSION", text)
    assert settings.current().project.context == {"version": text}


@pytest.mark.parametrize(
    ("in_file", "text", "value"),
    [
        ("2024", "2025", 2025),
        ("2024", "spring", "spring"),
        ("2024", "007", "007"),
        ("1.1", "1.10", "1.10"),
        ("1.1", "1.5", 1.5),
        ("true", "false", False),
        ("'2024'", "2025", "2025"),
    ],
)
def test_a_number_in_the_file_is_one_in_the_environment(
    configure, monkeypatch, in_file, text, value
):
    monkeypatch.setenv("PREFECTX_CONTEXT__YEAR", text)
    configure(f"[context]\nyear = {in_file}")
    assert settings.current().project.context == {"year": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.10", "1.10"), ("007", "007"), ("1e3", "1e3"), ("4", 4), ("1.5", 1.5), ("true", True)],
)
def test_arguments_from_the_environment_are_decoded_where_they_print_alike(
    monkeypatch, text, value
):
    """A cluster class knows the types of its arguments, prefectx does not."""
    monkeypatch.setenv("PREFECTX_DASK__CLUSTER_KWARGS__CORES", text)
    assert settings.current().project.dask.cluster_kwargs == {"CORES": value}


def test_lists_and_tables_in_the_environment_are_json(monkeypatch):
    monkeypatch.setenv("PREFECTX_CONTEXT__PARTS", '[1, "a"]')
    monkeypatch.setenv("PREFECTX_CONTEXT__TABLE", '{"a": 1}')
    assert settings.current().project.context == {"parts": [1, "a"], "table": {"a": 1}}

"""Templates: what fields mean, what is refused, and that no value leads out of its folder."""

import posixpath
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefectx import Filestore, Item
from prefectx.errors import TargetError
from prefectx.targets.template import Template


def fill(text: str, **values) -> str:
    template = Template(text)
    return template.locate(values)


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("working/{x}", {"x": 3}, "working/3"),
        ("working/{x:04d}-{y:.2f}", {"x": 3, "y": 0.5}, "working/0003-0.50"),
        ("{x:{width}d}.json", {"x": 3, "width": "03"}, "003.json"),
        ("{path.stem}.parquet", {"path": "raw/a.csv"}, "a.parquet"),
        ("{path.stem}{path.suffix}", {"path": Path("/raw/a.csv")}, "a.csv"),
        ("{path.parent}/out/{path.name}", {"path": "raw/a.csv"}, "raw/out/a.csv"),
        ("{day:%Y-%m}/{day.day}", {"day": date(2024, 3, 9)}, "2024-03/9"),
        ("{row[name]}-{pair[1]}", {"row": {"name": "n"}, "pair": (1, 2)}, "n-2"),
        ("{parts}", {"parts": ["a", Item(Filestore(), "/w/b.json")]}, "a-b"),
        ("{when}", {"when": datetime(2024, 3, 9, 12, 30)}, "2024-03-09T123000"),
        ("a{{b}}/{x!r}", {"x": "q"}, "a{b}/'q'"),
        ("s3://bucket/runs/{x}", {"x": "a"}, "s3://bucket/runs/a"),
        ("/data/{x}/y", {"x": "a"}, "/data/a/y"),
        ("report.csv", {}, "report.csv"),
    ],
)
def test_fields(text, values, filled):
    """A template is a format string over the values of a call."""
    assert fill(text, **values) == filled


def test_an_item_stands_for_the_stem_of_its_location():
    """A chain of targets follows from the first one's."""
    item = Item(Filestore(), "/root/working/parse/asyncio.base_events.pkl")
    assert fill("measure/{parsed}.json", parsed=item) == "measure/asyncio.base_events.json"
    assert fill("{parsed.name}/{parsed.suffix}", parsed=item) == "asyncio.base_events.pkl/.pkl"


@pytest.mark.parametrize(
    "text",
    ["{x.__class__}", "{_x}", "{x[_y]}", "{x._y.z}", "{x", "{}", "{0}", "}", "{x!z}"],
)
def test_refused_templates(text):
    """What is no template, and names that begin with an underscore, are errors."""
    with pytest.raises(TargetError):
        Template(text).fill({"x": "a", "_x": 1})


def test_a_missing_field_says_what_there_is():
    """The error names the field and the choices."""

    class Lookup(dict):
        def names(self):
            return list(self)

    with pytest.raises(TargetError, match=r"\{yaer\}.*month, year"):
        Template("{yaer}").fill(Lookup(year=1, month=2))


@pytest.mark.parametrize("text", ["{x.nope}", "{x[3]}", "{x:d}", "{x.upper}"])
def test_values_without_what_the_template_asks_for(text):
    """Attributes, keys and formats that a value does not have are errors that name the field."""
    with pytest.raises(TargetError, match=r"\{x"):
        Template(text).fill({"x": "abc"[:2]})


nasty = st.lists(st.sampled_from([*"ab./\\~\n\0 é", "..", "../", "/.."]), max_size=8).map(
    "".join
) | st.text(max_size=12)
TEMPLATES = [
    "working/{a}/{b}",
    "working/{a}.json",
    "x-{a}{b}",
    "{a}/{b}",
    "w/{a}",
    "/abs/p{a}",
    "s3://b/k/{a}",
    "../up/{a}",
]


@settings(max_examples=500)
@given(values=st.lists(nasty, min_size=2, max_size=2), text=st.sampled_from(TEMPLATES))
def test_no_value_leads_out_of_the_part_before_the_first_field(values, text):
    """Whatever the arguments hold, a filled target stays where the template begins, or fails."""
    prefix = Template(text).prefix
    try:
        filled = fill(text, a=values[0], b=values[1])
    except TargetError:
        return
    path = filled.removeprefix("s3://b/")
    assert (path != filled) == text.startswith("s3://b/")
    assert posixpath.normpath(path) == path
    assert filled.startswith(prefix)
    assert prefix.startswith(("/", "s3:", "..")) or not path.startswith(("/", "../"))
    assert "\0" not in filled

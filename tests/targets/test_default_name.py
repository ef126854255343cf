"""The automatic base: readable, and never the same for two different calls."""

import math
import string
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefectx.errors import TargetError
from prefectx.targets.default_name import DefaultName
from prefectx.targets.template import Template


def base(*values, **named):
    arguments = {string.ascii_lowercase[i]: value for i, value in enumerate(values)} | named
    return DefaultName("f").fill(arguments)


def test_readable_bases():
    """The base of simple arguments is what one would write by hand."""
    assert base("a.csv", 3) == "a.csv-3"
    assert base(1) == "1"
    assert base(-1, None, True, 0.5) == "-1-None-True-0.5"
    assert base() == "f"


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        ("raw/a.csv", "a.csv"),
        ("1", "1"),
        ("None", "None"),
        ("", "f"),
        ("x" * 50, "x" * 40),
        (["a", "b"], "a-b"),
        ({"a": 1}, "dict"),
        (Path("a.csv"), "a.csv"),
        (1e-7, "1e-07"),
        ("2024-q1", "2024-q1"),
        ("../../etc/passwd", "passwd"),
    ],
)
def test_a_hash_where_the_readable_form_could_mean_another_call(value, readable):
    """Whatever could be mistaken has a short hash behind it."""
    name, _, digest = base(value).rpartition("-")
    assert name == readable
    assert len(digest) == 16
    assert set(digest) <= set("0123456789abcdef")


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.floats(allow_nan=False, width=16),
    st.text(alphabet="ab-._/1e", max_size=4),
    st.sampled_from(
        ["None", "True", "nan", "1", "-1", "1.0", "a-1", "f", "deadbeef", "deadbeefdeadbeef"]
    ),
    st.dates(),
    st.binary(max_size=2),
    st.builds(Path, st.sampled_from(["a", "b/a", "1"])),
)
arguments = st.lists(
    st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.tuples(inner),
            st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
            st.frozensets(scalars, max_size=2),
        ),
        max_leaves=4,
    ),
    min_size=2,
    max_size=2,
)


def exact(value):
    """Tell values of other types apart, which == does not."""
    if isinstance(value, (list, tuple)):
        return type(value), tuple(exact(part) for part in value)
    if isinstance(value, dict):
        return dict, tuple((key, exact(part)) for key, part in value.items())
    if isinstance(value, frozenset):
        return frozenset, frozenset(exact(part) for part in value)
    return type(value), repr(value)


@given(first=arguments, second=arguments)
def test_different_calls_never_share_an_automatic_base(first, second):
    """Two calls have one base exactly when their arguments are the same."""
    assert (base(*first) == base(*second)) == (exact(first) == exact(second))


@given(values=arguments)
def test_a_base_is_one_plain_file_name(values):
    """A base holds nothing that a folder, a shell or a URL would take for its own."""
    name = base(*values)
    assert set(name) <= set(string.ascii_letters + string.digits + "_.=+-")
    assert 0 < len(name) <= 100


@pytest.mark.parametrize("value", ["deadbeef", "deadbeefdeadbeef", 1234567890123456])
def test_what_looks_like_a_hash_has_one(value):
    """`f("a", "<hash>")` is not the call whose name ends in that hash."""
    assert base("a", value).startswith(f"a-{value}-")


def test_the_order_of_a_dict_counts():
    """A function sees it."""
    assert base({"a": 1, "b": 2}) != base({"b": 2, "a": 1})


def test_a_list_in_itself_has_a_base():
    """Circles end."""
    circle = ["a"]
    circle.append(circle)
    assert base(circle).startswith("a-list-")


def numbers():
    yield 1


def open_file(name):
    return Path(name).open("rb")


class Locked:
    def __init__(self):
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (numbers, "generator"),
        (lambda: [threading.Lock()], r"in rows\[0\]"),
        (lambda: {"m": Locked()}, r"in rows\['m'\]\.lock"),
        (lambda: open_file(__file__), "BufferedReader"),
    ],
)
def test_an_argument_without_identity_is_refused(make, words):
    """The error names the argument and its type, and says what to do."""
    rows = make()
    with pytest.raises(TargetError, match="'rows'") as failure:
        DefaultName("f").fill({"year": 2024, "rows": rows})
    text = str(failure.value)
    assert 'ignore = ["rows"]' in text
    assert "target" in text
    assert failure.match(words)
    getattr(rows, "close", int)()


def test_ignored_arguments_are_left_out():
    """They neither show nor count."""
    name = DefaultName("f", ignored=["log"])
    assert name.fill({"year": 2024, "log": threading.Lock()}) == "2024"
    first = name.fill({"path": "raw/a.csv", "log": 1})
    assert first == name.fill({"path": "raw/a.csv", "log": 2})
    assert first.startswith("a.csv-")


def test_paths_count_relative_to_the_root(tmp_path, monkeypatch):
    """A moved root keeps its outputs; a relative path and its absolute form are one."""
    places = [tmp_path / "a", tmp_path / "b"]
    names = set()
    for place in places:
        (place / "data").mkdir(parents=True)
        monkeypatch.chdir(place)
        name = DefaultName("f", folders=(str(place),))
        names |= {name.fill({"path": p}) for p in (Path("data/a.csv"), place / "data/a.csv")}
    assert len(names) == 1
    assert (
        DefaultName("f", folders=(str(places[0]),)).fill({"path": Path("data/a.csv")}) not in names
    )


class Model:
    def __init__(self, inner=None):
        self.inner = inner


class Shown(Model):
    def __str__(self):
        return "shown"


@pytest.mark.parametrize("text", ["m/{x}", "m/{x!r}", "m/{x!s}", "m/{x.inner}", "{x!r:>60}"])
@pytest.mark.parametrize("x", [Model(Model()), Model(math.sin.__call__), Model(lambda: 1)])
def test_no_address_gets_into_a_target(text, x):
    """An object that does not say how it is shown is an error that names the field."""
    with pytest.raises(TargetError, match=r"\{x.*address in memory.*__str__"):
        Template(text).locate({"x": x})


def test_objects_that_can_be_shown():
    """A method `__str__` is enough."""
    assert Template("m/{x}").locate({"x": Shown()}) == "m/shown"
    assert Template("m/{x}").locate({"x": "thing at 0x1234"}) == "m/thing at 0x1234"

"""Nested values: what is entered, what is replaced, what stays the very same object."""

from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefectx.arguments.traversal import replace
from prefectx.futures import FutureList

Pair = namedtuple("Pair", "left right")


@dataclass(frozen=True)
class Box:
    value: object
    label: str = "box"


def shout(value):
    return value.name.upper() if isinstance(value, Named) else value


class Named:
    def __init__(self, name):
        self.name = name


def test_leaves_are_replaced_in_every_kind_of_container():
    """Lists, tuples, named tuples, dicts, sets and dataclasses keep their kind."""
    a, b = Named("a"), Named("b")
    nested = [a, (b, 1), Pair(a, 2), {"k": [b]}, {a}, frozenset([b]), Box(a), OrderedDict(z=b)]
    assert replace(nested, shout) == [
        "A",
        ("B", 1),
        Pair("A", 2),
        {"k": ["B"]},
        {"A"},
        frozenset(["B"]),
        Box("A"),
        OrderedDict(z="B"),
    ]


def test_what_is_not_changed_is_not_copied():
    """Without anything to replace, the value itself comes back."""
    nested = {"a": [1, 2, (3, Box([4]))], "b": {5}}
    assert replace(nested, shout) is nested


def test_only_the_way_to_a_leaf_is_copied():
    """Siblings of a replaced leaf are the same objects as before."""
    untouched = [1, 2, 3]
    result = replace([untouched, Named("a")], shout)
    assert result == [[1, 2, 3], "A"]
    assert result[0] is untouched


def test_classes_are_leaves():
    """A dataclass itself is not an instance to go into."""
    assert replace([Box], shout) == [Box]


# --- subclasses, and what is made in an unusual way


class Names(list):
    pass


class Table(dict):
    pass


class Kinds(set):
    pass


class Frozen(frozenset):
    pass


class Row(tuple):
    pass


@dataclass
class Counted:
    start: InitVar[int]
    value: object = None
    calls: list = field(default_factory=list)

    def __post_init__(self, start):
        self.calls.append(start)


@dataclass(frozen=True, slots=True)
class Slots:
    value: object
    other: int = 1


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="allow")
    value: Any
    other: int = 1


@attrs.define
class Defined:
    value: object
    other: int = 1


@attrs.frozen(slots=False)
class FrozenAttrs:
    value: object


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda x: Names([1, x]), list),
        (lambda x: Table(a=x, b=2), lambda t: list(t.values())),
        (lambda x: Kinds([x]), list),
        (lambda x: Frozen([x]), list),
        (lambda x: Row([x, 3]), list),
        (lambda x: deque([1, x], maxlen=5), lambda d: [*d, d.maxlen]),
        (lambda x: MappingProxyType({"a": x}), lambda m: [m["a"]]),
        (lambda x: defaultdict(list, a=x), lambda d: [d["a"], d["b"]]),
        (lambda x: Counted(1, x), lambda c: [c.value, c.calls]),
        (lambda x: Slots(x, 5), lambda s: [s.value, s.other]),
        (lambda x: Model(value=x, extra=x), lambda m: [m.value, m.extra, m.model_fields_set]),
        (lambda x: Defined(x, 5), lambda d: [d.value, d.other]),
        (lambda x: FrozenAttrs(x), lambda f: [f.value]),
    ],
)
def test_everything_stays_what_it_is(make, parts):
    """A copy has the type, the other parts and the settings of the original."""
    value = make(Named("a"))
    new = replace(value, shout)
    assert type(new) is type(value)
    assert parts(new) == parts(make("A"))
    assert isinstance(next(p for p in parts(value) if p != 1), Named)
    whole = make(3)
    assert replace([whole], shout)[0] is whole


def test_a_list_of_futures_becomes_a_list():
    """Data have no `.result()`."""
    assert type(replace(FutureList([Named("a")]), shout)) is list


# --- shared parts and circles


def test_what_is_shared_stays_shared_and_is_looked_at_once():
    """Sixty doublings are sixty lists."""
    seen = []
    value = [Named("a")]
    for _ in range(60):
        value = [value, value]
    new = replace(value, lambda part: seen.append(part) or shout(part))
    assert len(seen) == 62
    assert new[0] is new[1]
    while isinstance(new, list):
        new = new[0]
    assert new == "A"


def test_deep_nesting():
    """Ten thousand levels are no recursion."""
    value = Named("a")
    for _ in range(10_000):
        value = [value]
    new = replace(value, shout)
    while isinstance(new, list):
        (new,) = new
    assert new == "A"


def test_a_list_in_itself():
    """A circle with a reference is a circle without it afterwards; without any it stays."""
    circle = [Named("a")]
    circle.append(circle)
    new = replace(circle, shout)
    assert new[0] == "A"
    assert new[1] is new
    assert circle[1] is circle
    plain = [1]
    plain.append(plain)
    assert replace(plain, shout) is plain


@pytest.mark.parametrize("start", [0, 1])
def test_circles_through_tuples(start):
    """A tuple is made once what it holds is there, wherever the walk begins."""
    inner = [Named("a")]
    outer = (inner, (inner,))
    inner.append(outer)
    new = replace((inner, outer)[start], shout)
    inner, outer = (new, new[1]) if start == 0 else (new[0], new)
    assert inner[0] == "A"
    assert inner[1] is outer
    assert outer[0] is inner is outer[1][0]


def test_a_mapping_proxy_in_itself():
    """What a proxy shows may hold the proxy."""
    shown = {"a": Named("a")}
    shown["self"] = proxy = MappingProxyType(shown)
    new = replace(proxy, shout)
    assert new["a"] == "A"
    assert new["self"] is new


@dataclass(eq=False)
class Node:
    value: object
    parent: object = None
    children: list = field(default_factory=list)


def test_a_tree_with_parent_pointers():
    """Objects that refer to each other are copied together."""
    root = Node(1)
    root.children = [Node(Named(str(i)), root) for i in range(3)]
    new = replace(root, shout)
    assert [child.value for child in new.children] == ["0", "1", "2"]
    assert all(child.parent is new for child in new.children)
    assert root.children[0].parent is root


leaves = st.integers(0, 3) | st.builds(Named, st.sampled_from("ab"))
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        st.lists(inner, max_size=2).map(deque),
        inner.map(Box),
    ),
    max_leaves=12,
)


def plainly(value):
    """Say the same in the simplest way."""
    if isinstance(value, (list, tuple, deque)):
        return type(value)(plainly(part) for part in value)
    if isinstance(value, dict):
        return {key: plainly(part) for key, part in value.items()}
    return Box(plainly(value.value)) if isinstance(value, Box) else shout(value)


@given(value=nested)
def test_replacing_is_what_it_says(value):
    """The result is that of a plain recursion, and what needs no change is the same object."""
    new = replace(value, shout)
    assert new == plainly(value)
    assert replace(new, shout) is new

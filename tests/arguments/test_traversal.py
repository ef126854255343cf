"""Nested values: what is entered, what is replaced, what stays the very same object."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

from prefectx.arguments.traversal import replace

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

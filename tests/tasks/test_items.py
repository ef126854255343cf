"""An item refers to an output and is not its data."""

import operator

import numpy as np
import pandas as pd
import pytest

from prefectx import Item, load, override, task
from prefectx.stores import Filestore

ITEM = Item(Filestore(), "/outputs/a.json")
SAME = Item(Filestore(), "/outputs/a.json")

USES = {
    "bool": bool,
    "len": len,
    "list": list,
    "int": int,
    "float": float,
    "abs": abs,
    "sorted": lambda item: sorted([item, SAME]),
    "index": operator.itemgetter(0),
    "assignment": lambda item: operator.setitem(item, 0, 1),
    "membership": lambda item: 1 in item,
    "text": lambda item: "a" in item,
    "unpacking": lambda item: [*item],
    "product with text": lambda item: "a" * item,
    "array": lambda item: np.array([1, 2]) + item,
    "comparison with an array": lambda item: np.array([1, 2]) == item,
    "series": lambda item: pd.Series([1, 2]) * item,
    **{
        name: lambda item, use=use: use(item, 1)
        for name, use in vars(operator).items()
        if name in {"add", "sub", "mul", "truediv", "mod", "pow", "lt", "ge", "eq", "ne", "and_"}
    },
    **{
        f"1 {name}": lambda item, use=use: use(1, item)
        for name, use in vars(operator).items()
        if name in {"add", "sub", "mul", "floordiv", "pow", "gt", "eq", "or_"}
    },
    **{
        f"== {data!r}": lambda item, data=data: item == data
        for data in ("text", b"bytes", 1.5, True, [1], (1,), {"a": 1}, {1})
    },
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("use", USES)
def test_what_only_data_can_do(use):
    with pytest.raises(TypeError, match=r"Item\('/outputs/a.json'\).*prefectx.load"):
        USES[use](ITEM)


def test_items_are_equal_by_store_and_location():
    assert ITEM == SAME
    assert ITEM in [SAME]
    assert {ITEM: 1}[SAME] == 1
    assert Item(Filestore(), "/outputs/b.json") != ITEM
    assert Item(Filestore(fsync=False), "/outputs/a.json") != ITEM
    assert (ITEM == None) is False  # noqa: E711
    assert object() != ITEM


def test_data_look_the_same_in_every_mode(tmp_path):
    @task
    def numbers():
        return [1, 2]

    for mode in ("function", "cache"):
        with override(mode=mode, root=tmp_path):
            assert len(load(numbers())) == 2

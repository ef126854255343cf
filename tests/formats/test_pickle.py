"""Pickles: by value what has no name, and nothing that could not be loaded again."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from prefectx.errors import SaveError
from prefectx.formats.pickling import PICKLE
from prefectx.stores import Filestore

STORE = Filestore(fsync=False)


def local_class():
    class Local:
        def __init__(self, value):
            self.value = value

    return Local


@pytest.mark.parametrize("name", ["a", "a.pkl", "a.pkl.gz"])
def test_functions_and_classes_without_a_name(tmp_path, name):
    """Lambdas and local classes are pickled by value, with what comes before them too."""
    factor = 3
    data = [list(range(1000)), lambda x: factor * x, local_class()(5)]
    STORE.save(f"{tmp_path}/{name}", data)
    numbers, function, instance = STORE.load(f"{tmp_path}/{name}")
    assert numbers == data[0]
    assert function(2) == 6
    assert instance.value == 5


def test_another_process_loads_them(tmp_path):
    STORE.save(f"{tmp_path}/a", local_class()(5))
    code = f"from prefectx.stores import Filestore; print(Filestore().load('{tmp_path}/a').value)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "5\n"


def test_the_log_says_so_once(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(PICKLE.fallback, "said", False)
    with caplog.at_level(logging.INFO, "prefectx.stores"):
        STORE.save(f"{tmp_path}/plain", [1])
        assert caplog.records == []
        STORE.save(f"{tmp_path}/a", lambda: 1)
        STORE.save(f"{tmp_path}/b", lambda: 2)
    (record,) = caplog.records
    assert record.name == "prefectx.stores"
    assert "function" in record.getMessage()
    assert "cloudpickle" in record.getMessage()


def test_what_nobody_can_pickle_is_refused(tmp_path):
    STORE.save(f"{tmp_path}/a", 1)
    with pytest.raises(SaveError, match="cannot pickle"):
        STORE.save(f"{tmp_path}/a", [1, threading.Lock()])
    assert STORE.load(f"{tmp_path}/a") == 1


class NeedsTwo(Exception):
    """Exceptions of this kind can be pickled, and fail to load."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def test_what_passes_can_be_loaded(tmp_path):
    with pytest.raises(SaveError, match=r"could not be loaded again: TypeError.*two"):
        STORE.save(f"{tmp_path}/a", NeedsTwo(1, 2))
    assert not STORE.exists(f"{tmp_path}/a")


def figure():
    made = Figure(figsize=(1, 1))
    made.subplots().plot([1, 2], label="a")
    return made


FRAME = pd.DataFrame({"k": pd.Categorical(["a", "b"]), "x": [1.5, None], "o": [[1], {"a": 2}]})


@pytest.mark.parametrize(
    ("suffix", "make"),
    [
        *((suffix, FRAME.copy) for suffix in (".csv", ".csv.gz", ".parquet", ".feather")),
        (".json", lambda: {"a": [1, 2]}),
        *((suffix, lambda: {"a": np.arange(9)}) for suffix in (".npz", ".npz.gz")),
        *((suffix, figure) for suffix in (".png", ".svg", ".pdf", ".jpg")),
        *((suffix, lambda: Image.new("RGB", (9, 9))) for suffix in (".png", ".jpg", ".pdf")),
        *((f".txt{packed}", lambda: "text" * 99) for packed in (".gz", ".bz2", ".xz", ".zst")),
    ],
)
def test_equal_values_give_equal_bytes(tmp_path, monkeypatch, suffix, make):
    """Whenever they are written."""
    contents = []
    for clock in (1_700_000_000, 1_800_000_000):
        monkeypatch.setattr("time.time", lambda clock=clock: clock)
        now = (2000 + clock // 10**8, *([1] * 8))
        monkeypatch.setattr("time.localtime", lambda *_, now=now: now)
        STORE.save(f"{tmp_path}/a{suffix}", make())
        contents.append((tmp_path / f"a{suffix}").read_bytes())
    assert contents[0] == contents[1]

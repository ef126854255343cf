"""Suffixes and formats: which is known, which means what, who may add one."""

from __future__ import annotations

import pickle
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import pytest
from PIL import Image

from prefectx.errors import ConfigError, CorruptItemError, SaveError
from prefectx.formats import FORMATS, get_format, known_suffix, register_format
from prefectx.stores import Filestore

KNOWN = [
    *(".bin", ".csv", ".feather", ".html", ".jpg", ".json", ".md", ".npy", ".npz"),
    *(".parquet", ".pdf", ".pkl", ".png", ".svg", ".tsv", ".txt"),
]


@pytest.fixture
def registry():
    """Formats that a test registers are forgotten after it."""
    FORMATS.reset()
    yield
    FORMATS.reset()


@pytest.mark.parametrize("suffix", KNOWN)
@pytest.mark.parametrize("compression", ["", ".gz", ".zst", ".bz2", ".xz"])
def test_every_suffix_is_a_format(suffix, compression):
    """Alone and compressed, with and without the dot, in upper and lower case."""
    whole = suffix + compression
    assert get_format(whole).suffix == whole
    assert get_format(whole[1:].upper()).suffix == whole
    assert known_suffix(f"a.b{whole}") == whole


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("asyncio.base_events", ""),
        ("a.csv-3", ""),
        ("a", ""),
        (".csv", ""),
        ("a.gz", ""),
        ("a.tar.gz", ""),
        ("a.JSON.GZ", ".JSON.GZ"),
        ("a.txt.json", ".json"),
        ("", ""),
    ],
)
def test_the_known_suffix_of_a_name(name, suffix):
    assert known_suffix(name) == suffix


def test_an_unknown_format_lists_the_known():
    with pytest.raises(ConfigError, match=r"'\.parket'.*\.parquet.*\.zst.*register_format"):
        get_format("parket")


def test_register_format(registry, tmp_path):
    """A format that a program registers is found by its suffix, compressed too."""
    register_format(
        ".rev",
        dump=lambda data, stream: stream.write(data[::-1]),
        load=lambda stream: stream.read()[::-1],
    )
    for name in ("a.rev", "a.rev.gz"):
        Filestore().save(f"{tmp_path}/{name}", b"abc")
        assert Filestore().load(f"{tmp_path}/{name}") == b"abc"
    assert (tmp_path / "a.rev").read_bytes() == b"cba"


def dump_text(data, stream):
    stream.write(str(data).encode())


def load_text(stream):
    return stream.read().decode()


def test_a_registered_format_travels_with_the_store(registry):
    """A worker that never ran the line `register_format` knows the format with its first item."""
    register_format(".xyz", dump=dump_text, load=load_text)
    sent = pickle.dumps(Filestore())
    FORMATS.reset()
    assert known_suffix("a.xyz") == ""
    assert pickle.loads(sent) == Filestore()
    assert known_suffix("a.xyz") == ".xyz"


@pytest.mark.parametrize("suffix", ["", ".", ".gz", "a/b"])
def test_what_cannot_be_a_suffix_is_refused(registry, suffix):
    with pytest.raises(ConfigError, match="suffix"):
        register_format(suffix, dump=dump_text, load=load_text)


def test_an_entry_point_adds_a_format(registry, monkeypatch):
    """What an installed package names in the group `prefectx.formats` is known."""
    plugin = SimpleNamespace(dump=dump_text, load=load_text)
    point = SimpleNamespace(name=".plug", load=lambda: plugin)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: {group: [point]}[group])
    assert known_suffix("a.plug") == ".plug"
    assert get_format(".plug").dump is dump_text


def test_importing_formats_and_stores_is_light():
    """No data library, no Prefect, no Dask before an object of theirs is at hand."""
    code = """
import sys, prefectx.formats, prefectx.stores
from prefectx.stores import Filestore
import tempfile
location = Filestore().locate(tempfile.mkdtemp(), "a.json")
Filestore().save(location, [1]); Filestore().load(location); Filestore().exists(location)
heavy = {"pandas", "numpy", "polars", "pyarrow", "matplotlib", "prefect", "dask", "distributed",
         "fsspec", "sqlalchemy", "zstandard", "importlib.metadata"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def figure():
    mpl.use("agg")
    from matplotlib.figure import Figure

    made = Figure(figsize=(1, 1))
    made.subplots().plot([1, 2])
    return made


@pytest.mark.parametrize(
    ("suffix", "start"),
    [(".png", b"\x89PNG"), (".jpg", b"\xff\xd8"), (".pdf", b"%PDF"), (".svg", b"<?xml")],
)
def test_a_figure_is_saved_as_the_picture_that_it_is(tmp_path, figure, suffix, start):
    """It comes back as the picture's bytes, and .svg, which is text, as text."""
    location = f"{tmp_path}/a{suffix}"
    Filestore().save(location, figure)
    found = Filestore().load(location)
    assert (found.encode() if isinstance(found, str) else found).startswith(start)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_an_image_comes_back_as_an_image(tmp_path, mode):
    image = Image.new("RGB", (3, 2)).convert(mode) if mode == "P" else Image.new(mode, (3, 2))
    Filestore().save(f"{tmp_path}/a.png", image)
    found = Filestore().load(f"{tmp_path}/a.png")
    assert (found.mode, found.size, found.tobytes()) == (mode, (3, 2), image.tobytes())


@pytest.mark.parametrize("mode", ["F", "CMYK", "LAB"])
def test_an_image_that_png_cannot_hold_is_refused(tmp_path, mode):
    with pytest.raises(SaveError):
        Filestore().save(f"{tmp_path}/a.png", Image.new(mode, (3, 2)))


def test_bytes_of_a_saved_image_are_refused(tmp_path):
    """They would come back as an image."""
    Filestore().save(f"{tmp_path}/a.png", Image.new("RGB", (3, 2)))
    with pytest.raises(SaveError, match="come back as an image"):
        Filestore().save(f"{tmp_path}/b.png", (tmp_path / "a.png").read_bytes())


def samples():
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"a": range(200), "b": ["x"] * 200})
    yield from [(".pkl", list(range(300))), (".json", {"a": list(range(300))})]
    yield from [(suffix, frame) for suffix in (".parquet", ".feather")]
    yield from [(".npy", np.arange(300)), (".npz", {"a": np.arange(300)})]
    yield (".png", Image.new("RGB", (30, 30)))
    yield from [(f".txt{packed}", "text" * 300) for packed in (".gz", ".zst", ".bz2", ".xz")]


@pytest.mark.parametrize(("suffix", "data"), list(samples()))
def test_a_truncated_file_is_corrupt(tmp_path, suffix, data):
    """Cut off anywhere, empty too: an error that names the place and says what to do."""
    path = tmp_path / f"a{suffix}"
    Filestore(fsync=False).save(str(path), data)
    whole = path.read_bytes()
    for length in [0, 1, 10, len(whole) // 2, len(whole) - 1]:
        if whole[:length].rstrip() == whole.rstrip():
            continue  # without its last line end a JSON file is still whole
        path.write_bytes(whole[:length])
        if suffix == ".png" and not 60 < length < len(whole) - 12:
            continue  # nothing says any more that it was an image, or all of the image is there
        with pytest.raises(CorruptItemError, match=rf"a\{suffix}.*run again"):
            Filestore().load(str(path))


@pytest.mark.parametrize(("suffix", "data"), list(samples()))
def test_a_foreign_file_is_corrupt(tmp_path, suffix, data):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"\x00\x01this is something else\xff" * 20)
    if suffix != ".png":
        with pytest.raises(CorruptItemError, match="run again"):
            Filestore().load(str(path))


def test_a_class_that_moved_is_not_called_corrupt(tmp_path):
    """The message says that a name was not found, and does not blame the file."""
    path = tmp_path / "a.pkl"
    path.write_bytes(b"cno_such_module\nThing\n.")
    with pytest.raises(CorruptItemError, match=r"no_such_module.*moved or renamed"):
        Filestore().load(str(path))
    path.write_bytes(b"cprefectx.errors\nNoSuchError\n.")
    with pytest.raises(CorruptItemError, match=r"NoSuchError.*moved or renamed"):
        Filestore().load(str(path))

"""What the text of a CSV cannot say lies in `.prefectx/types`, and follows its output."""

from __future__ import annotations

import json
import multiprocessing
import shutil

import numpy as np
import pandas as pd
import pytest

from prefectx.errors import CorruptItemError
from prefectx.stores import Filestore
from tests.formats.sameness import same_frame

STORE = Filestore(fsync=False)
PLAIN = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "t": ["a", None], "ok": [True, False]})
TYPED = pd.DataFrame(
    {
        "zip": ["007", "012"],
        "day": pd.to_datetime(["2024-01-30", None]),
        "kind": pd.Categorical(["a", "b"], categories=["b", "a"]),
        "n": np.int8([1, 2]),
        "note": ["", None],
    },
    index=pd.Index(["x", "y"], name="key"),
)


def types_below(folder):
    return sorted(folder.rglob(".prefectx/types/**/*.json"))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root" / ".prefectx").mkdir(parents=True)
    return tmp_path / "root"


def test_plain_columns_need_no_types(root):
    STORE.save(f"{root}/a.csv", PLAIN)
    assert types_below(root) == []
    assert same_frame(STORE.load(f"{root}/a.csv"), PLAIN)


def test_types_lie_in_the_root_by_location_and_version(root):
    STORE.save(f"{root}/working/report/a.csv", TYPED)
    (found,) = types_below(root)
    assert found.parent == root / ".prefectx/types/working/report/a.csv"
    assert len(found.stem) == 32
    assert json.loads(found.read_text())["scheme"] == 1
    text = (root / "working/report/a.csv").read_text()
    assert text == "key,zip,day,kind,n,note\nx,007,2024-01-30,a,1,\ny,012,,b,2,\n"


def test_without_a_root_types_lie_in_the_folder(tmp_path):
    """A file `prefectx.toml` marks the root as well."""
    STORE.save(f"{tmp_path}/a/b.csv", TYPED)
    assert [p.parent for p in types_below(tmp_path)] == [tmp_path / "a/.prefectx/types/b.csv"]
    (tmp_path / "c/d").mkdir(parents=True)
    (tmp_path / "c/prefectx.toml").touch()
    STORE.save(f"{tmp_path}/c/d/e.csv", TYPED)
    assert (tmp_path / "c/.prefectx/types/d/e.csv").is_dir()


def test_a_root_that_comes_later_loses_nothing(tmp_path):
    STORE.save(f"{tmp_path}/a/b/c.csv", TYPED)
    (tmp_path / ".prefectx").mkdir()
    (tmp_path / "a/.prefectx").mkdir()
    assert same_frame(STORE.load(f"{tmp_path}/a/b/c.csv"), TYPED)


def test_a_moved_root_keeps_its_types(root, tmp_path):
    STORE.save(f"{root}/working/a.csv", TYPED)
    shutil.move(root, tmp_path / "other")
    assert same_frame(STORE.load(f"{tmp_path}/other/working/a.csv"), TYPED)


def test_equal_bytes_with_other_types(root):
    """Each location has its own."""
    one, other = (pd.DataFrame({"n": pd.Series([1, 2], dtype=d)}) for d in ("int8", "Int64"))
    STORE.save(f"{root}/a.csv", one)
    STORE.save(f"{root}/b.csv", other)
    assert (root / "a.csv").read_bytes() == (root / "b.csv").read_bytes()
    assert same_frame(STORE.load(f"{root}/a.csv"), one)
    assert same_frame(STORE.load(f"{root}/b.csv"), other)


def test_deleting_removes_the_types(root):
    STORE.save(f"{root}/w/a.csv", TYPED)
    STORE.save(f"{root}/w/b.csv", TYPED)
    STORE.delete(f"{root}/w/a.csv")
    assert [p.parent.name for p in types_below(root)] == ["b.csv"]
    assert not (root / ".prefectx/types/w/a.csv").exists()
    STORE.delete(f"{root}/w/b.csv")
    assert types_below(root) == []


def test_types_are_no_outputs(root):
    STORE.save(f"{root}/w/a.csv", TYPED)
    assert list(STORE.list(f"{root}/")) == [f"{root}/w/a.csv"]
    assert list(STORE.list(f"{root}/w/")) == [f"{root}/w/a.csv"]


def test_a_replaced_output_has_the_types_of_its_bytes(root):
    """A few older versions stay, as another writer may be about to move its own there."""
    for number in range(20):
        frame = TYPED.assign(zip=f"00{number}")
        STORE.save(f"{root}/a.csv", frame)
        assert same_frame(STORE.load(f"{root}/a.csv"), frame)
    assert len(types_below(root)) < 10
    STORE.save(f"{root}/a.csv", PLAIN)
    assert same_frame(STORE.load(f"{root}/a.csv"), PLAIN)


def test_a_failed_save_leaves_the_types(root):
    STORE.save(f"{root}/a.csv", TYPED)
    with pytest.raises(Exception, match="cannot hold"):
        STORE.save(f"{root}/a.csv", TYPED.assign(n=object()))
    assert same_frame(STORE.load(f"{root}/a.csv"), TYPED)


def edited(root, change):
    STORE.save(f"{root}/a.csv", TYPED)
    path = root / "a.csv"
    path.write_text(change(path.read_text()))
    return STORE.load(f"{root}/a.csv")


def test_an_edited_value(root):
    found = edited(root, lambda text: text.replace("007", "009"))
    assert same_frame(
        found, TYPED.assign(zip=["009", "012"]).assign(note=[None, None]).astype({"note": "str"})
    )


def test_a_row_more(root):
    found = edited(root, lambda text: text + "z,100,2024-02-01,b,3,new\n")
    assert found.loc["z"].tolist() == ["100", pd.Timestamp("2024-02-01"), "b", 3, "new"]
    assert found.dtypes.drop("note").equals(TYPED.dtypes.drop("note"))


def test_a_value_that_does_not_fit_its_type(root):
    """The column is what pandas reads; the others keep their types."""
    found = edited(root, lambda text: text.replace("2024-01-30", "soon").replace(",a,", ",c,"))
    assert found["day"].tolist()[0] == "soon"
    assert found["kind"].tolist() == ["c", "b"]
    assert found["zip"].tolist() == ["007", "012"]
    assert found.index.equals(TYPED.index)


def test_a_column_more(root):
    def change(text):
        return "\n".join(f"{line},{i}" for i, line in enumerate(text.splitlines()))

    found = edited(root, change)
    assert list(found.columns) == ["key", *TYPED.columns, "0"]
    assert found["zip"].tolist() == ["007", "012"]
    assert found["day"].dtype == TYPED["day"].dtype


def test_types_are_signed(root):
    """With a key neither the file nor its types can be changed or left out."""
    store = Filestore(fsync=False, signing_key="key")
    store.save(f"{root}/a.csv", TYPED)
    assert same_frame(store.load(f"{root}/a.csv"), TYPED)
    (types,) = types_below(root)
    types.write_text(types.read_text().replace("int8", "int16").replace("i1", "i2"))
    with pytest.raises(CorruptItemError, match="not signed"):
        store.load(f"{root}/a.csv")
    types.unlink()
    with pytest.raises(CorruptItemError, match="not signed"):
        store.load(f"{root}/a.csv")


def test_damaged_types_are_an_error(root):
    STORE.save(f"{root}/a.csv", TYPED)
    (types,) = types_below(root)
    types.write_text("{")
    with pytest.raises(CorruptItemError, match="run again"):
        STORE.load(f"{root}/a.csv")


def test_behind_urls(tmp_path):
    base = f"memory://{tmp_path.name}-types"
    STORE.save(f"{base}/w/a.csv", TYPED)
    assert same_frame(STORE.load(f"{base}/w/a.csv"), TYPED)
    assert list(STORE.list(f"{base}/w/")) == [f"{base}/w/a.csv"]
    STORE.delete(f"{base}/w/a.csv")
    STORE.save(f"{base}/w/a.csv", PLAIN)
    assert same_frame(STORE.load(f"{base}/w/a.csv"), PLAIN)


def _save_often(location, dtype):
    for _ in range(20):
        STORE.save(location, pd.DataFrame({"n": pd.Series([1, 2, len(dtype)], dtype=dtype)}))


def test_whichever_writer_wins_has_its_types(root):
    """Two processes replace an output; what is there is always one of theirs, whole."""
    location = f"{root}/a.csv"
    types = ["int8", "Int64"]
    _save_often(location, types[0])
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_save_often, args=(location, d)) for d in types]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = STORE.load(location)
        assert str(found["n"].dtype) in types
        assert found["n"].iloc[-1] == len(str(found["n"].dtype))
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0

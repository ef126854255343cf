"""What is saved comes back equal, or is an error at saving: whatever the object."""

from __future__ import annotations

import csv
import math
import os
import string
import zoneinfo

import hypothesis.extra.numpy as hnp
import hypothesis.extra.pandas as hpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from prefectx.errors import SaveError
from prefectx.stores import Filestore

STORE = Filestore(fsync=False)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.complex_numbers(),
    lambda parts: (
        st.lists(parts)
        | st.tuples(parts, parts)
        | st.dictionaries(st.text() | st.integers() | st.booleans() | st.none(), parts)
        | st.frozensets(st.integers())
    ),
    max_leaves=12,
)
open_ended = settings(
    max_examples=int(os.environ.get("EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def comes_back(tmp_path, name, data, same):
    """Whether `data` was saved; then it came back the same."""
    location = str(tmp_path / name)
    try:
        STORE.save(location, data)
    except SaveError:
        return False
    found = STORE.load(location)
    assert same(found, data), f"{found!r} is not {data!r}"
    return True


def equal(found, data):
    return type(found) is type(data) and found == data


def equal_types(found, data):
    return type(found) is type(data)


def same_tree(found, data):
    """Equal, with the same types all the way down, and NaN the same as NaN."""
    if not equal_types(found, data):
        return False
    if isinstance(data, dict):
        return list(found) == list(data) and all(same_tree(found[k], data[k]) for k in data)
    if isinstance(data, list | tuple):
        return len(found) == len(data) and all(map(same_tree, found, data))
    return found == data or (data != data and found != found)


@open_ended
@given(anything)
def test_pickle_keeps_anything(tmp_path, data):
    assert comes_back(tmp_path, "a", data, same_tree)
    assert comes_back(tmp_path, "a.pkl.zst", data, same_tree)


@open_ended
@given(anything)
def test_json_keeps_or_refuses(tmp_path, data):
    comes_back(tmp_path, "a.json", data, same_tree)


@open_ended
@given(st.dictionaries(st.text(), st.lists(st.integers() | st.floats(allow_nan=False))))
def test_json_keeps_plain_data(tmp_path, data):
    assume(not any(math.isinf(x) for values in data.values() for x in values))
    assert comes_back(tmp_path, "a.json.gz", data, same_tree)


@open_ended
@given(st.text(st.characters(exclude_categories=())))
def test_text_is_kept_to_the_last_line_end(tmp_path, data):
    for suffix in (".txt", ".md", ".html", ".svg", ".txt.xz"):
        comes_back(tmp_path, f"a{suffix}", data, equal)


@open_ended
@given(st.binary())
def test_bytes(tmp_path, data):
    for suffix in (".bin", ".png", ".jpg", ".pdf", ".bin.bz2"):
        assert comes_back(tmp_path, f"a{suffix}", data, equal)


def same_array(found, data):
    return (
        type(found) is np.ndarray
        and found.dtype == data.dtype
        and found.shape == data.shape
        and found.tobytes() == data.tobytes()
    )


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
@open_ended
@given(
    st.one_of(hnp.scalar_dtypes(), hnp.array_dtypes()).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))
    )
)
def test_arrays(tmp_path, data):
    assert comes_back(tmp_path, "a.npy", data, same_array)
    assert comes_back(tmp_path, "a.npy.gz", data, same_array)


@open_ended
@given(st.dictionaries(st.text(), hnp.arrays(hnp.integer_dtypes(), hnp.array_shapes())))
def test_arrays_by_name(tmp_path, data):
    def same(found, data):
        return found.keys() == data.keys() and all(same_array(found[k], data[k]) for k in data)

    comes_back(tmp_path, "a.npz", data, same)


names = st.text(string.ascii_letters + " _,;\"'%ä1", min_size=1, max_size=6)
column_types = st.sampled_from(
    [
        *("int64", "int8", "uint64", "float64", "float32", "bool"),
        *("datetime64[ns]", "timedelta64[ns]", "object"),
    ]
)
# What CSV's readers take for something else, and what typed files have no type for.
awkward = st.sampled_from(
    ["NA", "1", "1.0", "", "True", "2020-01-01", "nan", "a\nb", '"', None, 1, 2.5, (1,), [1], b"1"]
)
indexes = st.sampled_from(
    [
        hpd.range_indexes(max_size=5),
        hpd.indexes(dtype="int64", max_size=5),
        hpd.indexes(elements=st.text("abc", max_size=3), dtype=object, max_size=5),
        hpd.indexes(dtype="datetime64[ns]", max_size=5),
    ]
)


def column(name, dtype):
    if dtype == "object":
        return hpd.column(name, elements=st.just("x"), dtype=object)
    return hpd.column(name, dtype=dtype)


@st.composite
def frames(draw):
    columns = st.lists(
        st.builds(column, names, column_types), max_size=4, unique_by=lambda c: c.name
    )
    frame = draw(hpd.data_frames(draw(columns), index=draw(indexes)))
    for name in frame.columns[frame.dtypes == object]:  # noqa: E721  # of each column
        cells = draw(st.lists(awkward, min_size=len(frame), max_size=len(frame)))
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)
    return frame


def same_values(found, data):
    """The same frame, but that numbers may be wider, and strings of pandas' own type."""
    if not (found.columns.equals(data.columns) and len(found) == len(data)):
        return False
    if list(found.index) != list(data.index) or found.index.names != data.index.names:
        return False
    return all(
        same_value(f, d)
        for f, d in zip(found.to_numpy(object).flat, data.to_numpy(object).flat, strict=True)
    )


def same_value(found, data):
    if pd.api.types.is_scalar(data) and pd.isna(data):
        return pd.api.types.is_scalar(found) and bool(pd.isna(found))
    if isinstance(data, str) != isinstance(found, str):
        return False
    if isinstance(data, tuple | list) or isinstance(found, tuple | list | np.ndarray):
        return isinstance(found, type(data)) and data == found
    return found == data or np.float32(found) == data


@open_ended
@given(frames())
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".feather"])
def test_pandas(tmp_path, suffix, data):
    comes_back(tmp_path, f"a{suffix}", data, same_values)


@open_ended
@given(
    hpd.data_frames(
        [
            hpd.column("i", dtype="int64"),
            hpd.column("f", dtype="float64"),
            hpd.column(
                "s",
                elements=st.text("abc xyz", min_size=1).map(str.strip).filter(str.isalpha),
                dtype=object,
            ),
        ],
        index=hpd.range_indexes(min_size=1),
    )
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".parquet", ".feather.zst"])
def test_everyday_frames_are_kept(tmp_path, suffix, data):
    assert comes_back(tmp_path, f"a{suffix}", data, same_values)


TYPED = pd.DataFrame(
    {
        "when": pd.to_datetime(["2020-01-01", None]).astype("datetime64[ns]"),
        "zone": pd.to_datetime(["2020-01-01", "2020-07-01"]).tz_localize("Europe/Berlin"),
        "kind": pd.Categorical(["a", "b"], categories=["b", "a", "c"], ordered=True),
        "maybe": pd.array([1, None], dtype="Int64"),
        "took": pd.to_timedelta([1, 2], unit="s"),
        "text": ["x", None],
    },
    index=pd.MultiIndex.from_tuples([("u", 1), ("v", 2)], names=["key", None]),
)


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".parquet.zst"])
def test_typed_files_keep_types_categories_and_index(tmp_path, suffix):
    STORE.save(f"{tmp_path}/a{suffix}", TYPED)
    pd.testing.assert_frame_equal(STORE.load(f"{tmp_path}/a{suffix}"), TYPED, check_freq=False)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_no_rows_are_no_error(tmp_path, suffix):
    STORE.save(f"{tmp_path}/a{suffix}", TYPED.iloc[:0])
    assert STORE.load(f"{tmp_path}/a{suffix}").empty


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".parquet.gz"])
def test_the_library_that_wrote_reads(tmp_path, suffix):
    """pandas, polars and Arrow each find their own again, polars' own types too."""
    polars_frame = pl.DataFrame(
        {
            "n": [1, None],
            "kind": pl.Series(["a", "b"], dtype=pl.Categorical),
            "of": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
        }
    )
    table = pa.table({"n": [1, None], "l": [[1], []]})
    from_pandas = pa.Table.from_pandas(pd.DataFrame({"n": [1]}))
    for number, data in enumerate([polars_frame, table, from_pandas]):
        location = f"{tmp_path}/{number}{suffix}"
        STORE.save(location, data)
        found = STORE.load(location)
        assert type(found) is type(data)
        assert found.equals(data)
        assert found.schema == data.schema


@pytest.mark.parametrize("folder", ["year=2024", "*?[a] %s #x", "s3:", ".hidden", "ü"])
def test_the_name_of_a_folder_means_nothing_to_parquet(tmp_path, folder):
    """It is no column, no pattern and no URL."""
    for data in (pd.DataFrame({"n": [1]}), pl.DataFrame({"n": [1]}), pa.table({"n": [1]})):
        STORE.save(f"{tmp_path}/{folder}/_a.parquet", data)
        assert STORE.load(f"{tmp_path}/{folder}/_a.parquet").equals(data)


KEPT_IN_CSV = {
    "labels": pd.DataFrame({"a": [1.0, 2.0]}).describe(),
    "named index": pd.DataFrame({"k": ["a", "b", "b"], "n": [1, 2, 3]}).groupby("k").sum(),
    "two": pd.DataFrame({"k": ["a", "b"], "j": [1, 2], "n": [1, 2]}).set_index(["k", "j"]),
    "times": pd.DataFrame({"t": pd.to_datetime(["2020-01-01 10:00", None])}),
    "split seconds": pd.DataFrame({"t": pd.to_datetime(["2020-01-01 10:00:00.5"])}),
    "index of times": pd.DataFrame({"n": [1]}, index=pd.to_datetime(["2020-01-01"])),
    "narrow": pd.DataFrame({"n": pd.array([1, None], dtype="Int8"), "x": np.float32([0.1, 2])}),
    "names to quote": pd.DataFrame({"a": [1], 'b,"c': [2]}),
    "lines": pd.DataFrame({"t": ["one\ntwo", 'a "b", c', None]}),
    "dates as text": pd.DataFrame({"t": ["2020-01-01", "NA"]}),
}


@pytest.mark.parametrize("name", KEPT_IN_CSV)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_csv_keeps_more_than_it_can_say(tmp_path, name, suffix):
    """An index, with and without a name, and times come back from plain text."""
    data = KEPT_IN_CSV[name]
    STORE.save(f"{tmp_path}/a{suffix}", data)
    found = STORE.load(f"{tmp_path}/a{suffix}")
    pd.testing.assert_frame_equal(found, data, check_dtype=False, check_freq=False)


def test_split_seconds_far_down_a_column(tmp_path):
    """Written by the hundred thousand rows, times of both kinds are still one column."""
    times = pd.Series(pd.date_range("2020-01-01", periods=100_002, freq="s"))
    times.iloc[-1] += pd.Timedelta(microseconds=5)
    STORE.save(f"{tmp_path}/a.csv", pd.DataFrame({"t": times}))
    assert STORE.load(f"{tmp_path}/a.csv")["t"].equals(times)


def test_csv_is_what_others_read(tmp_path):
    """Only an index that says something is written."""
    STORE.save(f"{tmp_path}/a.csv", pd.DataFrame({"a": [1], "b": ["x"]}))
    assert (tmp_path / "a.csv").read_text() == "a,b\n1,x\n"
    STORE.save(f"{tmp_path}/a.csv", KEPT_IN_CSV["named index"])
    assert (tmp_path / "a.csv").read_text() == "k,n\na,1\nb,5\n"


@pytest.mark.parametrize(
    "text", ["plain", "a,b", 'a "b"', "two\nlines", "a\rb", " blank", "#", "", None, "ü\u2028"]
)
def test_csv_is_the_text_that_pandas_writes(tmp_path, text):
    """Quoted where it has to be, whatever the other columns hold."""
    numbers = [1.0, -0.5, 1e16, math.nan, math.inf, 1 / 3]
    frame = pd.DataFrame({"x": numbers, "n": range(6), "t": ["plain"] * 5 + [text]})
    Filestore(exact=False).save(f"{tmp_path}/a.csv", frame)
    # pandas cannot read what it writes of a carriage return.
    quoting = csv.QUOTE_NONNUMERIC if text == "a\rb" else csv.QUOTE_MINIMAL
    expected = "x,n,t\n" + frame.to_csv(index=False, header=False, quoting=quoting)
    assert (tmp_path / "a.csv").read_bytes() == expected.encode()


def test_csv_of_others_is_read_as_it_is(tmp_path):
    """As pandas reads it: names in quotes make no index, times stay text, NA is missing."""
    for text in (
        '"a","b"\n1,2020-01-01\n',
        '"Name, first",age\nx,1\n',
        "t,u\n2020-01-01T00:00:00,NA\n",
    ):
        (tmp_path / "a.csv").write_text(text)
        pd.testing.assert_frame_equal(
            STORE.load(f"{tmp_path}/a.csv"), pd.read_csv(tmp_path / "a.csv")
        )


class Money:
    """A type that nobody knows."""


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pd.DataFrame({"z": [Money()]}), "column 'z': it cannot hold tests.Money"),
        (pd.DataFrame({"z": [1]}, index=[Money()]), "index level None: it cannot hold tests.Money"),
        (pd.DataFrame([[1]], columns=[Money()]), "columns: it cannot hold tests.Money"),
        (
            pd.DataFrame([[1]], columns=pd.Index(["z"], name=Money())),
            "columns: it cannot hold tests",
        ),
        (pd.DataFrame([[1]], pd.Index(["z"], name=Money())), "index names: it cannot hold tests"),
        (
            pd.DataFrame(
                {"n": [1, 2]},
                pd.date_range("2020", periods=2, freq=pd.offsets.CDay(holidays=["2020-01-06"])),
            ),
            "index: .*freq <.*CustomBusinessDay.*set it to None",
        ),
        (pd.Series([1]), "pandas.Series"),
        ([1, 2], "list"),
    ],
)
def test_tables_say_why_they_cannot_keep_something(tmp_path, data, said, suffix):
    with pytest.raises(SaveError, match=said) as raised:
        STORE.save(f"{tmp_path}/a{suffix}", data)
    assert len(str(raised.value)) < 600


def test_attributes_that_cannot_be_kept(tmp_path):
    frame = pd.DataFrame({"n": [1]})
    frame.attrs["source"] = Money()
    for suffix in (".csv", ".parquet"):
        with pytest.raises(SaveError, match=r"attrs: it cannot hold tests\.Money"):
            STORE.save(f"{tmp_path}/a{suffix}", frame)


def test_csv_cannot_say_that_polars_wrote_it(tmp_path):
    with pytest.raises(SaveError, match="polars"):
        STORE.save(f"{tmp_path}/a.csv", pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_repeated_names_in_arrow_tables(tmp_path, suffix):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(SaveError, match="column name 'a' is not unique"):
        STORE.save(f"{tmp_path}/a{suffix}", table)


def test_inexact_saving_when_asked_for(tmp_path):
    """With `exact=False` a report is saved as far as CSV can hold it."""
    store = Filestore(exact=False)
    store.save(f"{tmp_path}/a.csv", pd.DataFrame({"zip": ["007"]}))
    assert (tmp_path / "a.csv").read_text() == "zip\n007\n"


def test_numpy_numbers_are_numbers_in_json(tmp_path):
    STORE.save(f"{tmp_path}/a.json", {"mean": np.float64(1.5), "n": np.int64(3), "ok": np.True_})
    assert STORE.load(f"{tmp_path}/a.json") == {"mean": 1.5, "n": 3, "ok": True}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a": [(1,)]}, r"tuple at \['a'\]\[0\]"),
        ({1: 2}, "key 1"),
        ([float("nan")], r"nan at \[0\]"),
        ({"s": {1}}, r"set at \['s'\]"),
        ("\ud800", "surrogates"),
        (np.arange(2), "numpy"),
    ],
)
def test_json_names_the_part_that_it_cannot_keep(tmp_path, data, said):
    with pytest.raises(SaveError, match=said):
        STORE.save(f"{tmp_path}/a.json", data)


def test_json_is_for_people(tmp_path):
    STORE.save(f"{tmp_path}/a.json", {"name": "Ä", "list": [1]})
    assert (tmp_path / "a.json").read_text() == ('{\n  "name": "Ä",\n  "list": [\n    1\n  ]\n}\n')


@pytest.mark.parametrize("data", [np.array([object()]), np.ma.array([1], mask=[True]), [1], 1.0])
def test_npy_refuses_what_it_would_change_or_pickle(tmp_path, data):
    with pytest.raises(SaveError):
        STORE.save(f"{tmp_path}/a.npy", data)


def test_mapped_into_memory(tmp_path):
    """With `mmap` arrays and Feather files are mapped, not read; other formats are read."""
    store = Filestore(mmap=True)
    store.save(f"{tmp_path}/a.npy", np.arange(5))
    assert isinstance(store.load(f"{tmp_path}/a.npy"), np.memmap)
    store.save(f"{tmp_path}/a.feather", pa.table({"a": [1]}))
    assert store.load(f"{tmp_path}/a.feather").equals(pa.table({"a": [1]}))
    store.save(f"{tmp_path}/a.json", [1])
    assert store.load(f"{tmp_path}/a.json") == [1]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_time_that_comes_twice_in_a_zone_of_odd_seconds(tmp_path, suffix):
    """A second time of an hour stays the second, whatever its offset."""
    zone = zoneinfo.ZoneInfo("America/St_Johns")
    hour = pd.Timestamp(1935, 1, 1, tzinfo=zone)
    times = [hour.replace(fold=fold) for fold in (0, 1)]
    frame = pd.DataFrame({"t": pd.Series([*times, None], dtype=object)})
    STORE.save(f"{tmp_path}/a{suffix}", frame)
    found = STORE.load(f"{tmp_path}/a{suffix}")["t"]
    assert [time.fold for time in found[:2]] == [0, 1]
    assert found.tolist() == frame["t"].tolist()

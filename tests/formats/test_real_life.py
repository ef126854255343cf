"""The frames that people really have save to text and to typed files, and come back."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import uuid
import warnings

import numpy as np
import pandas as pd
import pytest

from prefectx.stores import Filestore
from tests.formats.sameness import same_frame

STORE = Filestore(fsync=False)

SALES = pd.DataFrame(
    {
        "day": pd.date_range("2024-01-30", periods=8, freq="D"),
        "region": ["north", "south"] * 4,
        "kind": pd.Categorical(list("aabbccaa"), categories=list("cbad")),
        "price": [1.5, 2.25, np.nan, 4.0, 5.125, 0.1, 7.0, -0.0],
        "count": [3, 1, 4, 1, 5, 9, 2, 6],
    }
)
ZONED = SALES.assign(day=SALES["day"].dt.tz_localize("Europe/Berlin"))
LEFT = pd.DataFrame({"id": ["007", "012", "100"], "n": [1, 2, 3]})
RIGHT = pd.DataFrame({"id": ["012", "200"], "ok": [True, False], "when": SALES["day"][:2]})


def read(text, **options):
    return pd.read_csv(io.StringIO(text), **options)


def objects(*cells):
    return pd.DataFrame({"x": pd.Series(cells, dtype=object)})


FRAMES = {
    "plain": lambda: SALES[["region", "price", "count"]],
    "all of it": lambda: SALES,
    "filtered rows": lambda: SALES[SALES["count"] > 2],
    "sorted rows": lambda: SALES.sort_values("price"),
    "one row": lambda: SALES.iloc[[3]],
    "one column": lambda: SALES[["price"]],
    "one empty text column": lambda: pd.DataFrame({"x": ["", "a", None]}),
    "no rows": lambda: SALES.iloc[:0],
    "no columns": lambda: SALES[[]],
    "nothing": pd.DataFrame,
    "names only": lambda: pd.DataFrame(columns=["a", "b"]),
    "pivot table": lambda: SALES.pivot_table(
        values="price", index="region", columns="kind", observed=True
    ),
    "pivot table with margins": lambda: SALES.pivot_table(
        values=["price", "count"],
        index="region",
        columns="kind",
        aggfunc="sum",
        margins=True,
        observed=True,
    ),
    "pivot of dates": lambda: SALES.pivot(index="region", columns="day", values="count"),
    "crosstab": lambda: pd.crosstab(SALES["region"], SALES["kind"]),
    "crosstab of several": lambda: pd.crosstab([SALES["region"], SALES["count"]], SALES["kind"]),
    "unstacked": lambda: SALES.set_index(["day", "region"])["price"].unstack(),
    "stacked": lambda: (
        SALES.pivot_table(values="price", index="region", columns="kind", observed=True)
        .stack()
        .to_frame("price")
    ),
    "describe": lambda: SALES.describe(),
    "describe all": lambda: SALES.describe(include="all"),
    "groupby sum": lambda: SALES.groupby("region")[["price", "count"]].sum(),
    "groupby several": lambda: SALES.groupby(["region", "kind"], observed=True)[["count"]].sum(),
    "groupby all categories": lambda: SALES.groupby("kind", observed=False)[["count"]].sum(),
    "columns of two levels": lambda: SALES.groupby("region").agg(
        {"price": ["mean", "max"], "count": ["sum"]}
    ),
    "resample": lambda: SALES.set_index("day")[["price"]].resample("MS").mean(),
    "resample in a zone": lambda: ZONED.set_index("day")[["count"]].resample("2D").sum(),
    "rolling": lambda: SALES.set_index("day")[["price"]].rolling(2).mean(),
    "value counts": lambda: SALES["region"].value_counts().to_frame(),
    "value counts of categories": lambda: SALES["kind"].value_counts().to_frame(),
    "value counts of rows": lambda: SALES[["region", "kind"]].value_counts().to_frame(),
    "cut": lambda: SALES.assign(band=pd.cut(SALES["count"], 3)),
    "cut with labels": lambda: SALES.assign(band=pd.cut(SALES["count"], 2, labels=["low", "high"])),
    "qcut": lambda: SALES.assign(band=pd.qcut(SALES["price"], 3)),
    "counts by band": lambda: pd.cut(SALES["count"], [0, 2, 5, 10]).value_counts().to_frame(),
    "dummies": lambda: pd.get_dummies(SALES, columns=["region", "kind"]),
    "dummies of few": lambda: pd.get_dummies(SALES["region"], sparse=True),
    "merge with missing": lambda: LEFT.merge(RIGHT, on="id", how="outer", indicator=True),
    "ids with zeros": lambda: LEFT,
    "ids as index": lambda: LEFT.set_index("id"),
    "read as text": lambda: read("zip,n\n01234,1\n,2\n", dtype={"zip": "string"}),
    "read with missing": lambda: read("a,b,c\n1,,x\n,2.5,\n"),
    "read with dates": lambda: read("t,n\n2024-01-30,1\n2024-02-01,2\n", parse_dates=["t"]),
    "nullable types": lambda: SALES[["region", "price", "count"]].convert_dtypes(),
    "nullable numbers": lambda: pd.DataFrame(
        {
            "i": pd.array([1, None, 2**60 + 1], "Int64"),
            "b": pd.array([True, None, False], "boolean"),
        }
    ),
    "narrow numbers": lambda: pd.DataFrame(
        {"f": np.float32([0.1, 2, np.nan]), "i": np.int8([1, -2, 3]), "u": np.uint64([2**63, 0, 1])}
    ),
    "dates": lambda: objects(dt.date(2024, 1, 30), None, dt.date(2024, 2, 1)),
    "times of day": lambda: objects(dt.time(8, 30), dt.time(23, 59, 59, 5)),
    "zones": lambda: ZONED,
    "several zones": lambda: objects(
        pd.Timestamp("2024-01-30", tz="Europe/Berlin"), pd.Timestamp("2024-01-30", tz="Asia/Tokyo")
    ),
    "the hour that comes twice": lambda: pd.DataFrame(
        {
            "t": pd.date_range("2024-10-26 23:00", periods=5, freq="h", tz="UTC").tz_convert(
                "Europe/Berlin"
            )
        }
    ),
    "durations": lambda: pd.DataFrame({"took": SALES["day"].diff()}),
    "periods": lambda: pd.DataFrame(
        {"n": [1, 2, 3]}, index=pd.period_range("2024-01", periods=3, freq="M", name="month")
    ),
    "quarters as columns": lambda: pd.DataFrame(
        [[1, 2]], columns=pd.period_range("2024Q1", periods=2, freq="Q")
    ),
    "money": lambda: objects(decimal.Decimal("1.10"), decimal.Decimal("-0.5"), None),
    "flags with gaps": lambda: objects(True, None, False),
    "numbers with gaps": lambda: objects(1, None, 3),
    "numbers and text": lambda: objects(1, "a", 2.5, True, "1", None),
    "lists": lambda: objects([1, 2], [], None),
    "dicts": lambda: objects({"a": 1}, {"b": [None, "x"]}, {}),
    "identifiers": lambda: objects(uuid.UUID(int=1), uuid.UUID(int=2)),
    "unicode": lambda: pd.DataFrame({"größe": ["Ä", "日本", "🙂"], "n": [1, 2, 3]}),
    "awkward text": lambda: pd.DataFrame({"t": ["a,b", 'say "x"', "two\nlines", "NA", "", " x "]}),
    "all digits": lambda: pd.DataFrame({"t": ["1", "2", "30"], "year": ["2023", "2024", "2025"]}),
    "integer names": lambda: pd.DataFrame(np.arange(6).reshape(2, 3)),
    "years as names": lambda: pd.DataFrame([[1.0, 2.0]], columns=[2023, 2024], index=["sum"]),
    "named columns": lambda: SALES[["price", "count"]].rename_axis(columns="measure"),
    "equal names": lambda: pd.concat([SALES[["price"]], SALES[["price"]]], axis=1),
    "transposed": lambda: SALES[["price", "count"]].T,
    "index of several": lambda: SALES.set_index(["region", "day"]),
    "index with gaps": lambda: pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", None], name="k")),
    "concat with keys": lambda: pd.concat({"a": LEFT, "b": LEFT}, names=["source"]),
    "melted": lambda: SALES.melt(id_vars="region", value_vars=["price", "count"]),
    "correlation": lambda: SALES[["price", "count"]].corr(),
    "cumulated": lambda: SALES[["count"]].cumsum().pct_change(),
    "exploded": lambda: pd.DataFrame({"k": ["a", "b"], "v": [[1, 2], [3]]}).explode("v"),
    "with attributes": lambda: _with_attributes(),
    "ordered sizes": lambda: pd.DataFrame(
        {"size": pd.Categorical(["L", "S", None], categories=["S", "M", "L"], ordered=True)}
    ),
    "categories of numbers": lambda: pd.DataFrame({"y": pd.Categorical([2024, 2023, 2024])}),
    "categories of dates": lambda: pd.DataFrame({"d": pd.Categorical(SALES["day"].dt.date)}),
    "Arrow's types": lambda: LEFT.convert_dtypes(dtype_backend="pyarrow"),
}


def _with_attributes():
    frame = LEFT.copy()
    frame.attrs = {"source": "survey", "units": {"n": "kg"}, "made": dt.date(2024, 1, 30)}
    return frame


def test_there_are_sixty():
    assert len(FRAMES) >= 60


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".tsv.gz", ".feather"])
@pytest.mark.parametrize("name", FRAMES)
def test_it_comes_back(tmp_path, name, suffix):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = FRAMES[name]()
    STORE.save(f"{tmp_path}/a{suffix}", frame)
    found = STORE.load(f"{tmp_path}/a{suffix}")
    assert same_frame(found, frame), f"{found!r}\n\n{frame!r}"

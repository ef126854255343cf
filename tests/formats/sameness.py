"""Strict equality of outputs, written without prefectx: types, names, order, all of it."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


def same(found, data):
    """Tell whether two objects are of one type and equal down to their last part."""
    if type(found) is not type(data):
        return False
    if isinstance(data, dict):
        pairs = zip(found.items(), data.items(), strict=True)
        return len(found) == len(data) and all(same(f, d) for f, d in pairs)
    if isinstance(data, list | tuple):
        return len(found) == len(data) and all(map(same, found, data))
    if isinstance(data, np.ndarray):
        return same_array(found, data)
    if isinstance(data, pd.DataFrame):
        return same_frame(found, data)
    if isinstance(data, pl.DataFrame):
        return found.schema == data.schema and found.equals(data, null_equal=True)
    if isinstance(data, pa.Table):
        return found.schema.equals(data.schema, check_metadata=True) and same(
            [column.to_pylist() for column in found.columns],
            [column.to_pylist() for column in data.columns],
        )
    return same_cell(found, data)


def same_cell(found, data):
    if data is None or data is pd.NA or data is pd.NaT:
        return found is data
    if isinstance(data, decimal.Decimal):
        return found.as_tuple() == data.as_tuple()
    if isinstance(data, float | complex | np.inexact):
        return repr(found) == repr(data)
    if isinstance(data, dt.datetime | dt.time):
        zones = repr(found.tzinfo) == repr(data.tzinfo) and found.fold == data.fold
        units = getattr(found, "unit", None) == getattr(data, "unit", None)
        return found == data and zones and units
    if isinstance(data, np.datetime64 | np.timedelta64):
        return found.dtype == data.dtype and str(found) == str(data)
    if isinstance(data, pd.Interval):
        ends = same(found.left, data.left) and same(found.right, data.right)
        return ends and found.closed == data.closed
    return bool(found == data)


def same_array(found, data):
    return (
        found.dtype == data.dtype
        and found.shape == data.shape
        and found.dtype.metadata == data.dtype.metadata
        and found.flags.f_contiguous == data.flags.f_contiguous
        and (
            same(found.ravel().tolist(), data.ravel().tolist())
            if data.dtype.hasobject
            else found.tobytes() == data.tobytes()
        )
    )


def same_frame(found, data):
    if not (same_index(found.index, data.index) and same_index(found.columns, data.columns)):
        return False
    if found.flags.allows_duplicate_labels != data.flags.allows_duplicate_labels:
        return False
    columns = range(data.shape[1])
    return same(found.attrs, data.attrs) and all(
        same_column(found.iloc[:, i], data.iloc[:, i]) for i in columns
    )


def same_index(found, data):
    if type(found) is not type(data) or len(found) != len(data):
        return False
    if not same(list(found.names), list(data.names)):
        return False
    if isinstance(data, pd.MultiIndex):
        return found.nlevels == data.nlevels and all(
            same_dtype(found.levels[i].dtype, data.levels[i].dtype)
            and same_column(found.get_level_values(i), data.get_level_values(i))
            for i in range(data.nlevels)
        )
    return getattr(found, "freq", None) == getattr(data, "freq", None) and same_column(found, data)


def same_column(found, data):
    return same_dtype(found.dtype, data.dtype) and all(
        map(same, found.astype(object).array, data.astype(object).array)
    )


def same_dtype(found, data):
    if isinstance(data, pd.CategoricalDtype):
        return (
            isinstance(found, pd.CategoricalDtype)
            and found.ordered == data.ordered
            and same_index(found.categories, data.categories)
        )
    return type(found) is type(data) and found == data

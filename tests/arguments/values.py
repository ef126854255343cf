"""Values as users pass them: expressions in `values.txt`, equal ones in one line.

Values of different lines are different. What the expressions name is here.
Functions and classes that are made on the fly are in the tests: their bytecode is that of one
Python.
"""

# ruff: noqa: F401  # the expressions use what is imported
from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import json
import math
import operator
import os
import pathlib
import re
import sqlite3
import struct
import sys
import types
import typing
import uuid
import zoneinfo

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic

from prefectx import Filestore, Item
from prefectx.arguments.fingerprint import fingerprint
from prefectx.stores import SqlStore


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


Pair = collections.namedtuple("Pair", "left right")


class Typed(typing.NamedTuple):
    left: int
    right: int


@dataclasses.dataclass
class Point:
    x: object
    y: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    x: object
    y: object = None


@attrs.define
class Defined:
    x: object
    y: object = None


@attrs.frozen(slots=False)
class Frozen:
    x: object
    y: object = None


class Model(pydantic.BaseModel):
    x: typing.Any
    y: int = 0


class Open(pydantic.BaseModel, extra="allow"):
    x: typing.Any = 0


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class Words(list):
    pass


class Table(dict):
    pass


class Number(int):
    pass


class Kinds(set):
    pass


class Array(np.ndarray):
    pass


def named(value=1):
    return value


def other(value=1):
    return value


def row(sql):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql).fetchone()
    finally:
        connection.close()


def circle(*more):
    value = [*more]
    value.append(value)
    return value


def parsed(text, parse=eval):
    """Return a value that shares nothing with constants of the program."""
    return parse(text)


def index(**options):
    return pd.DataFrame({0: [1, 2]}, index=pd.Index([1, 2], **options))


def dates(**options):
    return pd.date_range("2024-01-01", periods=3, freq="D", **options)


def labelled(**attributes):
    frame = pd.DataFrame({0: [1]})
    frame.attrs.update(attributes)
    return frame


def fragmented():
    frame = pd.DataFrame({"a": [1, 2]})
    frame["b"] = [1.5, 2.5]
    frame["c"] = [3, 4]
    return frame


def multi(tuples, names=("i", "j")):
    """Make the levels of one type in all versions of pandas."""
    first, second = zip(*tuples, strict=True)
    return pd.MultiIndex.from_arrays([first, pd.Index(second, dtype=object)], names=names)


HERE = pathlib.Path.cwd
OBJECT = {"dtype": object}
LINES = pathlib.Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
GROUPS = [line.split(" <=> ") for line in LINES]


def fingerprints() -> dict[str, str]:
    """Return the fingerprint of each expression."""
    return {text: fingerprint(eval(text, globals())).hex() for group in GROUPS for text in group}


if __name__ == "__main__":
    json.dump(fingerprints(), sys.stdout, indent=0, ensure_ascii=True)

"""Whatever a database keeps comes back the same, down to the last part, or is refused at saving."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given

from prefectx.errors import SaveError
from prefectx.stores import SqlStore
from prefectx.stores.sql.database import ENGINES
from tests.formats import strategies
from tests.formats.sameness import same
from tests.formats.strategies import examples, passes_with_many_examples

NUMBERS = count()
# What every database can hold: PostgreSQL has no NUL in text, SQLite no NaN, neither nanoseconds.
PLAIN = {"int8", "int64", "bool", "binary", "date32[day]", "timestamp[us]", "decimal128(9, 2)"}
plain_types = strategies.plain_arrow.filter(lambda kind: str(kind) in PLAIN)
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request):
    """A database for all examples: making one for each would take most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        url = (
            f"sqlite:///{folder}/results.db"
            if request.param == "sqlite"
            else request.getfixturevalue("postgres")
        )
        yield SqlStore(url)
        ENGINES.close(url)


@pytest.mark.exhaustive
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_twenty_thousand_examples(database):
    """All properties of this file, for longer."""
    passes_with_many_examples(__file__, "-k", f"{database} and not thousand")


def keeps(store, data):
    """Check that `data` can be saved, and comes back the same."""
    location = f"output {next(NUMBERS)}"
    store.save(location, data)
    found = store.load(location)
    assert same(found, data), f"{found!r} is not {data!r}"
    store.delete(location)


def keeps_or_refuses(store, data):
    """Check that `data`, if it can be saved, comes back the same."""
    with suppress(SaveError):
        keeps(store, data)


@examples(40)
@given(data=strategies.frames())
def test_frames(store, data):
    keeps_or_refuses(store, data)


@examples(40)
@given(data=strategies.frames(strategies.odd_cells))
def test_frames_of_any_cells(store, data):
    keeps_or_refuses(store, data)


@examples(40)
@given(data=strategies.tables())
def test_arrow_tables(store, data):
    keeps_or_refuses(store, data)


@examples(40)
@given(data=strategies.tables(plain_types, repeats=False, names=["a", "b", "ü"]))
def test_plain_tables_are_not_refused(store, data):
    keeps(store, data)


@examples(40)
@given(data=strategies.polars_tables)
def test_polars_frames(store, data):
    keeps_or_refuses(store, data)


@examples(40)
@given(data=strategies.plain_cells)
def test_other_data(store, data):
    keeps(store, data)


def test_functions_and_classes_without_a_name(store):
    """They are pickled by value, as in files."""
    factor = 3

    class Local:
        value = 5

    store.save("by value", [lambda x: factor * x, Local()])
    function, instance = store.load("by value")
    assert (function(2), instance.value) == (6, 5)


class Unreadable:
    def __reduce__(self):
        return int, ("no number",)


def test_what_could_not_be_loaded_again(store):
    with pytest.raises(SaveError, match="could not be loaded again: ValueError"):
        store.save("unreadable", Unreadable())
    assert not store.exists("unreadable")

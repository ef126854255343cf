"""For tests: `reset()` for the state of the process, and `StoreContract` for stores.

It is long as the suite is one class, to be subclassed.

class TestMyStore(prefectx.testing.StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        return MyStore(tmp_path)
"""

from __future__ import annotations

import operator
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prefectx.errors import SaveError
from prefectx.item import Item, Store

# All state of a process, and what resets it. By name, as engines and stores import their libraries.
_STATE = (
    ("prefectx.settings", "STATE.clear"),
    ("prefectx.arguments.identity.makers", "IDENTITIES.clear"),
    ("prefectx.calls.one_at_a_time", "RUNS.reset"),
    ("prefectx.calls.redefinitions", "REDEFINITIONS.clear"),
    ("prefectx.calls.target_owners", "PROCESS.clear"),
    ("prefectx.formats.registry", "FORMATS.reset"),
    ("prefectx.lazy_outputs", "reset"),
    ("prefectx.stores.factory", "CACHE.reset"),
    ("prefectx.stores.files.buckets", "BUCKETS.reset"),
    ("prefectx.stores.files.local", "LOCAL.reset"),
    ("prefectx.stores.secrets", "KNOWN.reset"),
    ("prefectx.stores.sql.database", "ENGINES.reset"),
    ("prefectx.monitoring.keepalive", "HELPERS.reset"),
    ("prefectx.monitoring.logging", "STATE.reset"),
    ("prefectx.monitoring.memory", "MEMORY.reset"),
    ("prefectx.monitoring.progress", "PROGRESS.reset"),
    ("prefectx.monitoring.progress", "STALE.reset"),
    ("prefectx.records.records", "reset"),
    ("prefectx.engines.local.place", "PROGRAM.reset"),
    ("prefectx.engines.prefect.api", "SERVERS.reset"),
    ("prefectx.engines.prefect.logs", "STATE.reset"),
    ("prefectx.engines.prefect.watch", "APIS.reset"),
    ("prefectx.engines.prefect_dask.threads", "THREADS.reset"),
)


def reset() -> None:
    """Forget everything that prefectx knows in this process, as if it had just been imported.

    Forgets the project's settings, which calls have which targets, registered formats and
    identities, and open stores with their connections; ends keepalive. Call it between tests, not
    while a flow runs.
    """
    for module, name in _STATE:
        if module in sys.modules:
            operator.attrgetter(name)(sys.modules[module])()


ODD_NAMES = [
    "a b",
    "ä-日本",
    "quote'\"`",
    "x; DROP TABLE prefectx_items; --",
    "100%",
    "%s %(a)s {b} $HOME `id`",
    "-rf",
    "a\\b",
    ".hidden",
    "asyncio.base_events",
    "a.csv-3",
    "*?[a]",
    "a?b#c::d;e",
    "x" * 120,
]


class StoreContract:
    """What every store promises. Subclass it, write the fixture `store`, and run it with pytest."""

    #: Objects that the store must give back equal; change them for a store of one kind of data.
    objects: tuple[object, ...] = (
        None,
        0,
        "",
        [],
        "text\r\n\0 ü",
        b"\x00\xff",
        {"a": [1, 2.5, (3, {4})], 5: None},
        list(range(10_000)),
    )
    #: An object that the store cannot keep, or None if it can keep all.
    unsavable: object = threading.Lock()

    @pytest.fixture
    def store(self) -> Store:
        """Return the store under test, empty."""
        raise NotImplementedError("write the fixture 'store' in your subclass of StoreContract")

    @pytest.fixture
    def root(self, tmp_path: Path) -> str:
        """Return the root of the targets."""
        return str(tmp_path)

    @pytest.fixture
    def location(self, store: Store, root: str) -> str:
        """Return a location without an output."""
        return store.locate(root, "contract/output")

    def test_nothing_is_there_at_first(self, store: Store, location: str) -> None:
        """Nothing exists, loading raises FileNotFoundError, deleting does nothing."""
        assert not store.exists(location)
        with pytest.raises(FileNotFoundError):
            store.load(location)
        store.delete(location)

    def test_gives_back_what_was_saved(self, store: Store, location: str) -> None:
        """What is loaded equals what was saved, in value and type, even None and ""."""
        for data in self.objects:
            store.save(location, data)
            assert store.exists(location)
            found = store.load(location)
            assert found == data
            assert type(found) is type(data)

    def test_gives_back_a_new_object(self, store: Store, location: str) -> None:
        """Changing a saved or loaded object does not change the output."""
        data = self.objects[-1]
        if not isinstance(data, list):
            pytest.skip("for lists")
        saved = list(data)
        store.save(location, saved)
        saved.append("changed")
        store.load(location).append("changed")
        assert store.load(location) == data

    def test_deletes(self, store: Store, location: str) -> None:
        """What was deleted does not exist, and can be saved again."""
        for data in self.objects[:2]:
            store.save(location, data)
            store.delete(location)
            assert not store.exists(location)
            with pytest.raises(FileNotFoundError):
                store.load(location)

    def test_failed_save_changes_nothing(self, store: Store, root: str) -> None:
        """Data that cannot be saved is an error that names the location; the old output stays."""
        if self.unsavable is None:
            pytest.skip("the store keeps all objects")
        kept, fresh = store.locate(root, "contract/kept"), store.locate(root, "contract/fresh")
        store.save(kept, self.objects[-1])
        for location in (kept, fresh):
            with pytest.raises(SaveError, match="contract/"):
                store.save(location, self.unsavable)
        assert store.load(kept) == self.objects[-1]
        assert not store.exists(fresh)

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names(self, store: Store, root: str, name: str) -> None:
        """A name is only a name, even if a shell, a pattern or a database gives it a meaning."""
        location = store.locate(root, f"odd/{name}")
        store.save(location, self.objects[-1])
        assert store.exists(location)
        assert store.load(location) == self.objects[-1]
        assert not store.exists(store.locate(root, f"odd/{name}x"))
        store.delete(location)
        assert not store.exists(location)

    def test_similar_names_are_different_places(self, store: Store, root: str) -> None:
        """Names that differ in case, in a suffix or in a folder are different locations."""
        names = ["s/a", "s/A", "s/a.b", "s/a_b", "s/b/a", "s/a-b"]
        for number, name in enumerate(names):
            store.save(store.locate(root, name), self.objects[number % len(self.objects)])
        for number, name in enumerate(names):
            assert store.load(store.locate(root, name)) == self.objects[number % len(self.objects)]

    def test_asks_for_many_at_once(self, store: Store, root: str) -> None:
        """`exists_many` agrees with `exists`, for a few and for many in several folders."""
        places = [store.locate(root, f"many/{i % 3}/{i}") for i in range(60)]
        there = set(places[::2])
        for place in there:
            store.save(place, self.objects[0])
        for chosen in (places, places[:3], places[:1], []):
            assert store.exists_many(iter(chosen)) == there & set(chosen)

    def test_lists(self, store: Store, root: str) -> None:
        """`list` yields the outputs that begin with a prefix, and no files of the store's own."""
        places = {store.locate(root, f"list/{name}") for name in ("a", "ab", "b/c")}
        for place in places:
            store.save(place, self.objects[0])
        prefix = store.locate(root, "list/a").removesuffix("a")
        try:
            assert set(store.list(prefix)) == places
        except NotImplementedError:
            pytest.skip("the store does not list")
        assert {place.rpartition("/")[2] for place in store.list(f"{prefix}a")} == {"a", "ab"}
        assert list(store.list(f"{prefix}none")) == []

    def test_tells_size_and_time(self, store: Store, location: str) -> None:
        """`info` is about right, if the store has it."""
        store.save(location, self.objects[-1])
        info = store.info(location)
        assert info.size is None or info.size > 0
        if info.saved is not None:
            assert abs(datetime.now(UTC) - info.saved) < timedelta(minutes=5)

    def test_travels(self, store: Store, location: str) -> None:
        """A store and its items can be pickled; their copies are equal and find the output."""
        store.save(location, self.objects[-1])
        item = Item(store, location)
        arrived = pickle.loads(pickle.dumps(item))
        assert arrived == item
        assert hash(arrived) == hash(item)
        assert arrived.load() == self.objects[-1]
        assert len(pickle.dumps(item)) < 10_000

    def test_many_writers_of_one_place(self, store: Store, location: str) -> None:
        """Threads that replace and read one output always read a whole one."""
        versions = [[number] * 5_000 for number in range(4)]
        if type(self.objects[-1]) is not list:
            pytest.skip("for lists")
        store.save(location, versions[0])

        def replace_and_read(number: int) -> bool:
            store.save(location, versions[number % 4])
            return store.load(location) in versions

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(replace_and_read, range(24)))

    def test_lock_is_held_by_one(self, store: Store, location: str) -> None:
        """If the store has locks, the lock of a location is held by one thread at a time."""
        holders: list[int] = []
        try:
            with store.lock(location):
                pass
        except Exception as error:
            pytest.skip(f"no locks: {error}")

        def hold(_: int) -> int:
            with store.lock(location):
                holders.append(1)
                held = len(holders)
                holders.pop()
                return held

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(hold, range(20))) == {1}

    def test_says_what_it_is(self, store: Store) -> None:
        """The repr names the class."""
        assert type(store).__name__ in repr(store)

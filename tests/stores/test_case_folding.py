"""On a file system that ignores case, no output gets the file of another one."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prefectx import override, task
from prefectx.errors import SaveError, StoreError
from prefectx.stores import Filestore
from prefectx.testing import StoreContract

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
SAME_NAMES = [("A", "a"), ("Straße", "straße"), (COMPOSED, DECOMPOSED), ("f/A/x", "f/a/x")]


@pytest.fixture
def store():
    return Filestore(fsync=False)


class TestFoldingDisk(StoreContract):
    """The contract holds there, except for similar names."""

    @pytest.fixture
    def store(self):
        return Filestore(fsync=False)

    @pytest.fixture
    def root(self, folding_disk):
        return str(folding_disk)

    @pytest.mark.skip("here these names are one place")
    def test_similar_names_are_different_places(self):
        pass


@pytest.mark.parametrize(("kept", "other"), SAME_NAMES)
def test_a_name_that_is_taken_in_another_case_is_an_error_and_changes_nothing(
    store, folding_disk, kept, other
):
    """Whatever is done with it; the error says what is there."""
    kept, other = f"{folding_disk}/{kept}", f"{folding_disk}/{other}"
    store.save(kept, "kept")
    assert Path(other).exists()
    told = r"is '.+' there.*differ in more"
    for act in (store.exists, store.load, store.delete, store.info):
        with pytest.raises(StoreError, match=told):
            act(other)
    with pytest.raises(SaveError, match=told):
        store.save(other, "other")
    assert store.load(kept) == "kept"
    store.delete(kept)
    if "/" not in other.removeprefix(f"{folding_disk}/"):
        store.save(other, "other")
        assert store.load(other) == "other"


def test_among_many_a_name_in_another_case_does_not_exist(store, folding_disk):
    """A listing tells the names as they are; where few are asked for, each is an error."""
    names = [f"{folding_disk}/x{number}" for number in range(40)]
    for name in names:
        store.save(name, 1)
    others = [f"{folding_disk}/X{number}" for number in range(40)]
    assert store.exists_many(names + others) == set(names)
    assert store.exists_many(others) == set()
    with pytest.raises(StoreError, match="'x0' there"):
        store.exists_many(others[:1])
    for number in range(40):
        store.save(f"{folding_disk}/f/{number}", 1)
    with pytest.raises(StoreError, match="'f' there"):
        store.exists_many(f"{folding_disk}/F/{number}" for number in range(40))


def test_a_new_file_in_a_folder_of_another_name_is_an_error(store, folding_disk):
    """Else a call with the folder's own name would find it."""
    store.save(f"{folding_disk}/Runs/one", 1)
    assert not store.exists(f"{folding_disk}/runs/two")
    with pytest.raises(SaveError, match="'Runs' there"):
        store.save(f"{folding_disk}/runs/two", 2)
    assert [path.name for path in (folding_disk / "Runs").iterdir()] == ["one"]


def test_of_the_same_names_saved_at_once_one_is_kept(store, folding_disk):
    """The others are errors: no save that returned is undone by another."""

    def save(name):
        try:
            store.save(f"{folding_disk}/{name}", name)
        except SaveError:
            return None
        return name

    for place in range(5):
        names = [f"{place}-ab", f"{place}-Ab", f"{place}-aB", f"{place}-AB"]
        with ThreadPoolExecutor(4) as pool:
            (saved,) = filter(None, pool.map(save, names))
        assert store.load(f"{folding_disk}/{saved}") == saved


def test_two_calls_whose_targets_differ_only_in_case(folding_disk):
    """The second is an error that names its task; it does not get the first one's output."""

    @task(target="{name}.txt")
    def shout(name):
        return name

    with override(mode="cache", root=folding_disk):
        assert shout("A").load() == "A"
        with pytest.raises(StoreError, match=r"task 'shout'.*'A\.txt' there"):
            shout("a")
        assert shout("A").load() == "A"


def test_on_a_case_sensitive_file_system_both_are_kept(store, tmp_path):
    """They are different files there."""
    (tmp_path / "Probe").touch()
    if (tmp_path / "probe").exists():
        pytest.skip("this file system does not")
    for kept, other in SAME_NAMES:
        store.save(f"{tmp_path}/{kept}", "kept")
        store.save(f"{tmp_path}/{other}", "other")
        assert store.load(f"{tmp_path}/{kept}") == "kept"
        assert store.load(f"{tmp_path}/{other}") == "other"

"""From a name in the configuration to a store."""

from __future__ import annotations

import importlib

import pytest

from prefectx.errors import ConfigError, MissingDependencyError
from prefectx.imports import load_object, require
from prefectx.item import Store
from prefectx.stores import Filestore, make_store
from prefectx.stores.signing import SigningKey


class Definition:
    def __init__(self, cls, **arguments):
        self.cls = cls
        self.arguments = arguments


class Plain(Store):
    """A store without settings."""

    exists = save = load = delete = None


class WithFsync(Plain):
    def __init__(self, fsync):
        self.fsync = fsync


FILES = "prefectx.stores:Filestore"


def test_the_name_file():
    """Gives one Filestore, always the same for equal requests."""
    assert make_store("file", {}) == Filestore()
    assert make_store("file", {}) is make_store("file", {}, fsync=True)
    assert make_store("file", {}, fsync=False) == Filestore(fsync=False)
    assert make_store("file", {}, format="parquet") == Filestore(".parquet")
    assert make_store("file", {}, format="parquet") is make_store("file", {}, format=".parquet")


def test_a_defined_name():
    """Its class with its arguments, which outrank `fsync`; it may even be called `file`."""
    definitions = {"mine": Definition(FILES, exact=False, fsync=False), "file": Definition(FILES)}
    assert make_store("mine", definitions) == Filestore(exact=False, fsync=False)
    assert make_store("mine", definitions) is make_store("mine", definitions)
    assert make_store("mine", definitions, format=".json").format == ".json"
    assert make_store("file", definitions) == Filestore()


def test_a_class_and_an_object():
    """A class is made with what it takes; an object is taken as it is, but for the format."""
    assert make_store(Plain, {}) is make_store(Plain, {})
    assert make_store(WithFsync, {}, fsync=False).fsync is False
    store = Filestore(fsync=False)
    assert make_store(store, {}) is store
    changed = make_store(store, {}, format="json")
    assert (changed.format, changed.fsync, store.format) == (".json", False, None)


def test_a_store_made_in_code_is_no_less_safe(monkeypatch):
    """It refuses pickles and signs where the configuration and the environment ask for that."""
    careful = make_store(Filestore(".json"), {}, allow_pickle=False)
    assert (careful.allow_pickle, careful.format) == (False, ".json")
    monkeypatch.setenv("PREFECTX_SIGNING_KEY", "a secret of the test")
    assert make_store(Filestore(), {}).signing_key == SigningKey("a secret of the test")
    own = Filestore(signing_key="its own")
    assert make_store(own, {}) is own
    assert make_store(plain := Plain(), {}) is plain


def test_a_class_by_its_path():
    assert make_store(FILES, {}) == Filestore()


@pytest.mark.parametrize(
    ("store", "options", "said"),
    [
        ("wharehouse", {}, r"no store 'wharehouse'.*'file', 'sql', 'warehouse'.*\[stores\."),
        ("warehouse", {}, "'warehouse'.*'no_such_module'"),
        ("not_a_store", {}, "'not_a_store'.*not a subclass of Store"),
        ("misspelt", {}, "Filestore.*exakt"),
        (Plain, {"format": "json"}, "'.json' is given.*Plain takes none"),
        (Plain(), {"format": "json"}, "Plain takes none"),
        ("file", {"format": "jsn"}, "'.jsn'.*Known: "),
        ("sql", {}, "SqlStore cannot be made.*url"),
    ],
)
def test_mistakes_are_named(store, options, said):
    """Each error names the store and what was wrong with it."""
    definitions = {
        "warehouse": Definition("no_such_module:Store"),
        "not_a_store": Definition("pathlib:Path"),
        "misspelt": Definition(FILES, exakt=True),
    }
    with pytest.raises((ConfigError, MissingDependencyError), match=said):
        make_store(store, definitions, **options)


def test_load_object():
    """With a colon or a dot, and objects inside of objects."""
    assert load_object("pathlib:Path.home") == importlib.import_module("pathlib").Path.home
    assert load_object("os.path.join") is importlib.import_module("os").path.join


@pytest.mark.parametrize("path", ["", "name", ":Name", "module:", "pathlib:Pth"])
def test_a_path_that_names_nothing(path):
    with pytest.raises(ConfigError, match=repr(path)):
        load_object(path)


@pytest.mark.parametrize(
    ("module", "hint"),
    [
        ("polars_missing", "correct its name; a module of your own must be beside the program"),
        ("sqlalchemy", r'pip install "prefectx\[sql\]"'),
    ],
)
def test_a_missing_module_says_what_to_install(module, hint, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependencyError, match=hint):
        require(module, "to test it")


def test_an_error_inside_of_a_module_is_not_hidden(tmp_path, monkeypatch):
    """A module that is there and fails is not called missing."""
    (tmp_path / "broken_module.py").write_text("raise ValueError('my mistake')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="my mistake"):
        load_object("broken_module:Thing")

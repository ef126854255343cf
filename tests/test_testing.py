"""`prefectx.testing.reset()` covers all state of the process."""

import importlib
import operator
import pkgutil

import pytest

import prefectx
from prefectx import register_format, task, testing


@pytest.mark.parametrize(("module", "name"), testing._STATE)
def test_every_entry_is_there(module, name):
    """What is reset by name exists."""
    assert callable(operator.attrgetter(name)(importlib.import_module(module)))


def resettable():
    """Yield the names of all module-level objects of prefectx that have a method `reset`."""
    for found in pkgutil.walk_packages(prefectx.__path__, "prefectx."):
        if found.name == "prefectx.settings.__main__":
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            kind = type(value)
            if kind.__module__ == found.name and callable(getattr(kind, "reset", None)):
                yield found.name, f"{name}.reset"


def test_no_object_is_left_out():
    """Whatever can be reset is reset."""
    assert set(resettable()) <= set(testing._STATE)


def test_reset_frees_targets_and_formats(tmp_path):
    """After a reset another call may have the target, and the format is unknown."""

    @task(target="out/{name}.xyz")
    def first(name):
        return name

    @task(target="out/{name}.xyz")
    def second(name):
        return name

    def dump(data, stream):
        stream.write(data.encode())

    def load(stream):
        return stream.read().decode()

    with prefectx.override(mode="cache", root=tmp_path):
        register_format(".xyz", dump=dump, load=load)
        item = first("a")
        with pytest.raises(prefectx.TargetError, match="same target"):
            second("a")
        testing.reset()
        item.delete()
        with pytest.raises(prefectx.ConfigError, match="register_format"):
            second.with_options(name="third")("a")
        register_format(".xyz", dump=dump, load=load)
        assert second("a") == item

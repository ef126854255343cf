"""Arguments of stores: unknown, missing and wrong ones are reported, all at once and early."""

import re

import pytest

from prefectx.cli.app import run_command as run
from prefectx.errors import ConfigError
from prefectx.item import Store
from prefectx.settings import StoreDefinition
from prefectx.stores import make_store


class Typed(Store):
    def __init__(self, place: str, size: int = 1, share: float | None = None, fast: bool = False):
        self.given = (place, size, share, fast)

    def exists(self, location):
        return False

    def save(self, location, data):
        pass

    def load(self, location):
        pass

    def delete(self, location):
        pass


class Open(Typed):
    def __init__(self, **anything):
        self.given = anything


def made(cls=Typed, **arguments):
    return make_store("x", {"x": StoreDefinition(f"{__name__}:{cls.__name__}", arguments)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs the argument 'place'"),
        ({"place": 3}, "place: 3 is not text"),
        ({"place": "x", "sise": 3}, "unknown argument 'sise'; did you mean 'size'?"),
        ({"place": "x", "zzz": 3}, "unknown argument 'zzz'; known are place, size, share, fast"),
        ({"place": "x", "size": True}, "size: True is not a whole number"),
        ({"place": "x", "size": "many"}, "size: 'many' is not a whole number"),
        ({"place": "x", "share": "half"}, "share: 'half' is not a number"),
        ({"place": "x", "fast": "maybe"}, "fast: 'maybe' is not true or false"),
        ({"place": "x", "fast": 3}, "fast: 3 is not true or false"),
        ({"size": "a", "b": 1}, "size: 'a' is not a whole number; unknown argument 'b'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        made(**arguments)


def test_right_arguments_are_read_as_their_types():
    assert made(place="x", size="3", share=1, fast="true").given == ("x", 3, 1.0, True)
    assert made(Open, whatever=3).given == {"whatever": 3}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("class = 'prefectx.stores:SqlStore'", "needs the argument 'url'"),
        ("class = 'prefectx.stores:SqlStore'\nurl = 'nosuch://x/y'", "dialect 'nosuch'"),
        ("class = 'prefectx.stores:SqlStore'\nurl = 'postgresql+nodriver://x'", "+nodriver'"),
        ("class = 'prefectx.stores:Filestore'\nexact = 'maybe'", "'maybe' is not true or false"),
        ("class = 'prefectx.stores:Filestore'\nfsnc = true", "did you mean 'fsync'?"),
    ],
)
def test_config_check_reports_them_at_their_place(tmp_path, capsys, table, message):
    (tmp_path / "prefectx.toml").write_text(f"[stores.w]\n{table}")
    (tmp_path / "p.py").write_text("from prefectx import task\n@task(store='w')\ndef f(x): ...")
    for files in ([], ["p.py"]):
        assert run(["config", "check", *files]) == 2
        said = capsys.readouterr().err
        assert message in said
        assert said.count("cannot be made") == 1
        assert said.startswith("prefectx.toml:1:9  stores.w")

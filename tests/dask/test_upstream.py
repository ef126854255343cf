"""What is used of Prefect, prefect-dask and Dask beyond what they promise to keep."""

import importlib
import importlib.metadata
import re

import pytest

from prefectx import flow
from prefectx.engines import upstream
from prefectx.engines.dask import upstream as of_dask
from prefectx.engines.prefect import upstream as of_prefect
from prefectx.engines.prefect_dask import dask_runner
from prefectx.engines.prefect_dask import upstream as of_prefect_dask
from prefectx.engines.upstream import Name, Parameters, Text
from prefectx.errors import MissingDependencyError

LISTS = [("prefect", of_prefect), ("prefect-dask", of_prefect_dask), ("distributed", of_dask)]
ENTRIES = [(library, of, entry) for library, of in LISTS for entry in of.USED]


@pytest.fixture(autouse=True)
def looked_anew():
    """Each test looks for itself, and leaves nothing remembered."""
    yield
    for _, of in LISTS:
        of.check.cache_clear()


def take_away(entry: Name | Parameters | Text, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the installed library one that lacks an entry."""
    if isinstance(entry, Text):
        monkeypatch.setattr(Text, "source", lambda self: "# rewritten")
        return
    module_name, _, qualname = entry.path.partition(":")
    module = importlib.import_module(module_name)
    owner, _, attribute = qualname.partition(".")
    if isinstance(entry, Parameters):
        monkeypatch.setattr(module, owner, lambda other: None)
    elif attribute:
        monkeypatch.setattr(module, owner, type(owner, (), {}))
    else:
        monkeypatch.delattr(module, owner)


@pytest.mark.parametrize(("library", "of", "entry"), ENTRIES, ids=[str(e) for *_, e in ENTRIES])
def test_each_entry_is_missed_when_it_is_gone(library, of, entry, monkeypatch):
    """The error names the library, its version, the entry, and versions that work."""
    assert entry.is_there()
    assert entry.why
    take_away(entry, monkeypatch)
    version = importlib.metadata.version(library)
    expected = rf"^{library} {re.escape(version)} has no .*{re.escape(str(entry))}.* {library} \("
    of.check.cache_clear()
    with pytest.raises(MissingDependencyError, match=expected) as caught:
        of.check()
    assert f"({of.SEEN_WORKING} work)" in str(caught.value)


@pytest.mark.parametrize(("library", "of"), LISTS)
def test_the_installed_version_has_all_that_is_used(library, of):
    """Fails when a new version of a library has taken something away."""
    of.check()


def test_no_entry_is_listed_twice():
    """Each is in one place, with its reason."""
    names = [(library, str(entry), getattr(entry, "path", "")) for library, _, entry in ENTRIES]
    assert len(set(names)) == len(names)


def lack(of, monkeypatch):
    lacking = Name("prefectx.errors:NoSuchName", "is not there")
    monkeypatch.setattr(of, "USED", (*of.USED, lacking))
    of.check.cache_clear()


def test_a_flow_is_refused_before_it_runs(monkeypatch):
    """Prefect is looked at when an API is first needed."""
    lack(of_prefect, monkeypatch)
    ran = []
    with pytest.raises(MissingDependencyError, match=r"^prefect .* has no NoSuchName"):
        flow(lambda: ran.append(1), name="refused")()
    assert not ran


@pytest.mark.parametrize(("library", "of"), LISTS)
def test_a_runner_is_refused_when_it_is_made(library, of, monkeypatch):
    """So are all three for a runner on Dask."""
    lack(of, monkeypatch)
    with pytest.raises(MissingDependencyError, match=f"^{library} .* has no NoSuchName"):
        dask_runner()


def test_a_version_is_looked_at_once(monkeypatch):
    """What was found stands for the process."""
    of_dask.check()
    monkeypatch.setattr(upstream, "require", lambda *args: pytest.fail("looked again"))
    monkeypatch.setattr(of_dask, "require", lambda *args: pytest.fail("looked again"))
    of_dask.check()

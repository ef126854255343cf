"""Dask alone: what later runs calls on a cluster where no Prefect is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys
import distributed
from prefectx import settings
from prefectx.engines.dask.deaths import explain
from prefectx.engines.dask.payload import Payload
from prefectx.engines.dask.resources import Needs
from prefectx.engines.dask.session import session
from prefectx.engines.dask.worker import RunPlugin, begin_call
from prefectx.errors import ConfigError

def double(name, x):
    with begin_call(name).surroundings():
        return Payload((2 * x.open(), settings.current().project.root, "prefect" in sys.modules))

if __name__ == "__main__":
    log = logging.getLogger("program")
    dask = {"workers": 1, "memory_limit": "500MB"}
    with settings.override(root="/of/the/run", dask=dask) as chosen:
        with session(chosen.project, distributed.Client, log) as run:
            plugin = RunPlugin("shared", Payload(chosen), sys.path)
            run.client.register_plugin(plugin, name="shared")
            needs = run.place(Needs.of("double", chosen.options("double", {}), 0))
            print(run.submit(needs, double, "shared", Payload(4)).result().open())
            with settings.override(dask={"memory": "2GB"}) as larger:
                try:
                    run.place(Needs.of("large", larger.options("large", {}), 0))
                except ConfigError as error:
                    print(error)
            print(explain(ValueError("gone"), run.client))
    own = distributed.Client(n_workers=1, processes=False, dashboard_address="127.0.0.1:0")
    with own, session(settings.current().project, distributed.Client, log) as run:
        print(run.cluster is own.cluster)
    print([name for name in sys.modules if name.startswith("prefect") and "prefectx" not in name])
"""


def test_a_session_runs_calls_without_prefect(tmp_path: Path):
    """A cluster of `[dask]` and a plain client: needs, settings, errors, and no Prefect."""
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result, too_large, explained, is_own, modules = done.stdout.splitlines()
    assert result == "(8, '/of/the/run', False)"
    assert "'large' needs 2 GB" in too_large
    assert "has 500 MB" in too_large
    assert explained == "no worker could run it, or its result is lost: ValueError: gone"
    assert is_own == "True"
    assert modules == "[]"


def test_a_payload_is_opened_where_it_is_used():
    """On its way it is bytes; Dask sees the size of what it holds."""
    import pickle

    from dask.sizeof import sizeof

    from prefectx.engines.dask.payload import Payload

    sent = Payload(["x" * 100_000])
    arrived = pickle.loads(pickle.dumps(sent))
    assert sizeof(sent) > 100_000
    assert 100_000 < sizeof(arrived) < 101_000
    assert arrived.peek() == arrived.open() == ["x" * 100_000]
    assert arrived.open() is arrived.open()


@pytest.mark.parametrize("data", [b"x" * 5_000_000])
def test_dask_sees_the_data_of_a_state(data):
    """So a worker that holds states spills in time."""
    from dask.sizeof import sizeof
    from prefect.states import Completed

    import prefectx.engines.prefect_dask.worker  # noqa: F401  # teaches Dask
    from prefectx.engines.dask.payload import Payload

    assert sizeof(Payload(Completed(data=data))) > len(data)

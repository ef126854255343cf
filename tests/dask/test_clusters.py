"""Clusters of other kinds: of another class, one that grows, one behind TLS; and their reports."""

import sys

import distributed
import pytest
import trustme

import prefectx
from prefectx.errors import MissingDependencyError
from tests.dask import jobs
from tests.dask.conftest import dask_cluster

pytestmark = pytest.mark.slow


@pytest.fixture
def places(api_url, tmp_path):
    """Run the flow that tells where its calls ran, with options of `[dask]`."""

    def run(**dask):
        with prefectx.override(root=tmp_path, runner={"type": "dask"}, dask=dask):
            return jobs.places()

    return run


@pytest.fixture
def tls(tmp_path) -> dict[str, str]:
    """Files of a certificate authority, a certificate and its key, by the keys of `[dask]`."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in ("tls_ca_file", "tls_cert", "tls_key")}
    authority.cert_pem.write_to_path(files["tls_ca_file"])
    issued.cert_chain_pems[0].write_to_path(files["tls_cert"])
    issued.private_key_pem.write_to_path(files["tls_key"])
    return {name: str(path) for name, path in files.items()}


def test_a_cluster_of_another_class(places):
    """`cluster_class` and `cluster_kwargs` make the workers; here jobs of a batch system."""
    batch = {"cores": 1, "processes": 1, "memory": "1GB", "n_workers": 2}
    found = places(cluster_class="dask_jobqueue.local:LocalCluster", cluster_kwargs=batch)
    assert len(found) == 4


def test_a_cluster_that_grows(places):
    """`adapt` starts workers as calls need them, here from none."""
    found = places(cluster_kwargs={"n_workers": 0}, adapt={"minimum": 0, "maximum": 2})
    assert len(found) == 4


def test_a_cluster_behind_tls(places, tls, tmp_path):
    """The files in `[dask]` open the way to a scheduler that talks to none without them."""
    files = {
        "tls_ca_file": tls["tls_ca_file"],
        "tls_client_cert": tls["tls_cert"],
        "tls_client_key": tls["tls_key"],
    }
    security = distributed.Security(require_encryption=True, **files)
    with dask_cluster(tmp_path, ["one"], security) as address:
        with pytest.raises((OSError, TypeError)):
            distributed.Client(address, timeout=2)
        assert len(places(address=address, **tls)) == 4


def test_the_report_is_written(places, tmp_path):
    """`performance_report` names the file of Dask's report of the flow run; its folder is made."""
    report = tmp_path / "reports" / "dask.html"
    places(workers=1, performance_report=str(report))
    assert "Dask Performance Report" in report.read_text()


def test_a_report_needs_bokeh(places, monkeypatch):
    """Without it the flow fails before any call, and the error says what to install."""
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingDependencyError, match="pip install bokeh"):
        places(performance_report="report.html")

"""What is used of Dask beyond what it promises to keep."""

import distributed
import pytest

from prefectx.engines.dask import upstream
from prefectx.errors import MissingDependencyError


def test_the_installed_version_has_all_that_is_used():
    """Fails where a new version of Dask has taken something away."""
    upstream.check()


def test_a_version_that_lacks_something_is_refused():
    """The error names the version, what it lacks, and versions that will do."""
    expected = rf"distributed {distributed.__version__} has no Scheduler.horoscope.* to 2026\.8"
    with pytest.raises(MissingDependencyError, match=expected):
        upstream.check([*upstream.USED, (distributed.Scheduler, "horoscope")])

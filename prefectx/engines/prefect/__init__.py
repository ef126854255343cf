"""The Prefect engine. Only this package and `prefect_dask` import Prefect."""

from prefectx.engines.prefect import upstream

# First, as the imports below may fail on a version of Prefect that lacks something.
upstream.check()

from prefectx.engines.prefect.engine import ENGINE  # noqa: E402

__all__ = ["ENGINE"]

"""Calls and flows that Prefect runs; the only place, with `prefect_dask`, that imports it."""

from prefectx.engines.prefect import upstream

# Before anything else is imported from a version of Prefect that may lack it.
upstream.check()

from prefectx.engines.prefect.engine import ENGINE  # noqa: E402

__all__ = ["ENGINE"]

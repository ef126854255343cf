"""Calls and flows that Prefect runs; the only place, with `prefect_dask`, that imports it."""

from prefectx.engines.prefect.engine import ENGINE

__all__ = ["ENGINE"]

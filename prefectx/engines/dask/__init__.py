"""Dask without Prefect: clusters, resources, scheduling, payloads, dead workers."""

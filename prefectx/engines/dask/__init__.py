"""Dask without Prefect: clusters, resources, scheduling, payloads, workers that die."""

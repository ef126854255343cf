"""What is about Dask and not about Prefect: clusters, resources, scheduling, payloads."""

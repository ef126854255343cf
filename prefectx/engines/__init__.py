"""Engines: what runs calls and flows. The only places that import Prefect and Dask."""

"""Engines run calls and flows. Nothing else imports Prefect and Dask."""

"""Calls without Prefect: the modes `function` and `cache`."""

from prefectx.engines.local.inline import ENGINE

__all__ = ["ENGINE"]

"""Calls without Prefect: the modes `function` and `cache`."""

from prefectx.engines.local import prefects_logger
from prefectx.engines.local.engine import ENGINE

__all__ = ["ENGINE"]

prefects_logger.prepare(ENGINE.get_run_logger)

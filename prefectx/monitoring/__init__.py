"""Progress, logging, keepalive and memory of runs. They subscribe to named hooks."""

from prefectx.monitoring.hooks import HOOKS
from prefectx.monitoring.memory import MEMORY

HOOKS.subscribe(MEMORY)

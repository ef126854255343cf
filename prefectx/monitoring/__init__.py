"""What is seen of a run: progress, logging, keepalive, memory. They subscribe to named hooks."""

from prefectx.monitoring.hooks import HOOKS
from prefectx.monitoring.memory import Memory

HOOKS.subscribe(Memory())

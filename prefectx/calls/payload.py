"""Payload: what a call takes to a worker, so that nothing is looked up again there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from prefectx import settings
from prefectx.calls.resolved_task import ResolvedTask, TaskDefinition
from prefectx.modes import Mode
from prefectx.run_context import use_values
from prefectx.settings import Options, Settings


class Payload(NamedTuple):
    """What a call takes to a worker besides its arguments.

    Attributes:
        task: the task; it is pickled by name if possible.
        mode: the mode of the call.
        options: the task's options where the call was made.
        settings: all settings there.
        context: the values set at run time there.
        quoted: the names of arguments that are passed on as they are.
    """

    task: TaskDefinition
    mode: Mode
    options: Options
    settings: Settings
    context: Mapping[str, object]
    quoted: frozenset[str]

    @classmethod
    def of(
        cls, resolved: ResolvedTask, context: Mapping[str, object], quoted: frozenset[str]
    ) -> Payload:
        """Return the payload of a call of a resolved task."""
        return cls(
            resolved.task, resolved.mode, resolved.options, resolved.settings, context, quoted
        )

    @contextmanager
    def unpacked(self) -> Iterator[None]:
        """Make what held where the call was made hold in the block: settings and context."""
        with settings.use(self.settings), use_values(self.context):
            yield

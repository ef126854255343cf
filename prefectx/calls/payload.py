"""What a call is made of, and its payload: what it takes to a worker, to look nothing up there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, NamedTuple, Self, cast

from prefectx import settings
from prefectx.arguments.marks import is_marked, quote
from prefectx.arguments.signature import Arguments
from prefectx.calls.attempts import function_of
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.calls.target_owners import owners_of_run
from prefectx.calls.task_definition import TaskDefinition
from prefectx.futures import State
from prefectx.item import Item
from prefectx.modes import Mode
from prefectx.records import Lineage
from prefectx.run_context import began_at, run_began, use_values
from prefectx.settings import Options, Settings
from prefectx.targets.fields import Fields
from prefectx.targets.template import Template

FlowName = Callable[[], str | None]


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        value: an item or data.
        skipped: whether the output existed.
        seconds: how long it took.
        state: the state that the function returned instead of data.
    """

    value: Any
    skipped: bool
    seconds: float = 0.0
    state: State[object] | None = None


class Payload(NamedTuple):
    """What a call takes to a worker besides its arguments.

    Attributes:
        task: the task; it is pickled by name if possible.
        mode: the mode of the call.
        options: the task's options where the call was made.
        settings: all settings there.
        context: the values set at run time there.
        quoted: the names of arguments that are passed on as they are.
        lineage: what the output is made from, None if nothing is recorded.
        began: when the flow run began, None outside one.
        version: None: whether a function was redefined is decided where the call was made.
    """

    task: TaskDefinition
    mode: Mode
    options: Options
    settings: Settings
    context: Mapping[str, object]
    quoted: frozenset[str]
    lineage: Lineage | None = None
    began: datetime | None = None
    version: None = None

    @property
    def function(self) -> Callable[..., Any]:
        """What a call runs: the function, without Prefect tried as Prefect's keywords say."""
        if self.mode.is_prefect:
            # On its way to a task worker a call has no task.
            return cast(Callable[..., Any], getattr(self.task, "fn", None))
        return function_of(self.task)

    @contextmanager
    def unpacked(self) -> Iterator[None]:
        """Make what held where the call was made hold in the block: settings and context."""
        values = use_values(self.context)
        with settings.use(self.settings), values, began_at(self.began), owners_of_run():
            yield


class Portable:
    """The part of a call that travels: it becomes a payload where it was made."""

    __slots__ = ("_lineage", "_resolved")

    item: Item[object] | None
    arguments: Arguments
    _resolved: ResolvedTask | Payload
    _known: Arguments
    _flow: FlowName
    _lineage: Lineage | None

    @property
    def fields(self) -> Fields:
        """What the templates of the task may name; only where the call was made."""
        assert isinstance(self._resolved, ResolvedTask)
        return Fields(self._resolved.fields, self._known, self._flow)

    @property
    def lineage(self) -> Lineage | None:
        """What the output is made from, None if nothing is recorded."""
        if isinstance(self._resolved, Payload):
            return self._resolved.lineage
        lineages = self._resolved.lineages
        if self._lineage is None and lineages is not None and self.item is not None:
            self._lineage = lineages.of(self._known, lambda: self.fields)
        return self._lineage

    def recall(self) -> Lineage | None:
        """Return the lineage with what is recorded of the output, which exists."""
        lineage = self.lineage
        if lineage is None or self.item is None or lineage.recorded:
            return lineage
        lineage = lineage.of_output(self.item)
        if isinstance(self._resolved, Payload):
            self._resolved = self._resolved._replace(lineage=lineage)
        self._lineage = lineage
        return lineage

    @property
    def run_name(self) -> Template | None:
        """The template of the run's name; only where the call was made."""
        return self._resolved.run_name if isinstance(self._resolved, ResolvedTask) else None

    @property
    def payload(self) -> Payload:
        """What the call takes to a worker."""
        if isinstance(self._resolved, Payload):
            return self._resolved
        quoted = frozenset(n for n, value in self.arguments.items() if is_marked(value, quote))
        here, options = self._resolved, self._resolved.options
        if self.item is not None and REDEFINITIONS.is_outdated(self.item, here.version):
            options = options.model_copy(update={"refresh": True})
        if here.lineages is not None:
            here.lineages.keep_code()
        context = self.fields.context
        return Payload(
            here.task, here.mode, options, here.settings, context, quoted, self.lineage, run_began()
        )

    def surroundings(self) -> AbstractContextManager[None]:
        """Have the settings and the context that held where the call was made."""
        state = settings.STATE
        current = state.here.get() or state.everywhere or state.project
        if isinstance(self._resolved, ResolvedTask) and self._resolved.settings is current:
            return nullcontext()
        return self.payload.unpacked()

    @classmethod
    def arrived(cls, payload: Payload, item: Item[object] | None) -> Self:
        """Return the call as it arrives on a worker."""
        make: Callable[..., Self] = cls
        return make(payload, item, {}, {}, lambda: None)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        # Not the class method itself: cloudpickle would send its code.
        return _arrived, (type(self), self.payload, self.item)

    def for_task(self, task: TaskDefinition | None) -> Self:
        """Return the call as it arrives elsewhere, with the task as it is known there."""
        return self.arrived(self.payload._replace(task=cast(TaskDefinition, task)), self.item)


def _arrived(kind: type[Portable], payload: Payload, item: Item[object] | None) -> Portable:
    return kind.arrived(payload, item)

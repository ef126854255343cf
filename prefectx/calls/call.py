"""Call: one invocation of one task. It loads its inputs, runs the function, keeps the output."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, cast

from prefectx import settings
from prefectx.arguments.marks import is_marked, quote
from prefectx.arguments.references import load_items
from prefectx.arguments.signature import Arguments
from prefectx.calls.decision import Skip, decide, look
from prefectx.calls.one_at_a_time import InThread, OneAtATime
from prefectx.calls.payload import Payload
from prefectx.calls.resolved_task import ResolvedTask, TaskDefinition
from prefectx.errors import PrefectxError, SaveError
from prefectx.futures import Future, State
from prefectx.item import Item
from prefectx.modes import Mode
from prefectx.monitoring.hooks import observed
from prefectx.settings import Options
from prefectx.targets.fields import Fields
from prefectx.targets.template import Template

_NOTHING = nullcontext()


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        value: the item of the output, or data.
        skipped: whether the output was found and the function did not run.
        seconds: how long the call took.
    """

    value: Any
    skipped: bool
    seconds: float = 0.0


class Call:
    """One call of one task.

    Pickled it carries everything that a worker needs but the arguments: these are given to
    `run`, when the futures among them are resolved.

    Parameters:
        resolved: the task with its options where the call was made, or what arrived of it.
        item: the output, None if none is kept.
        arguments: the arguments by name as they were given; empty on a worker.
        known: the arguments as the templates see them.
        flow: gives the name of the flow that makes the call.
        inputs: the futures among the arguments.
        is_plain: whether the arguments are scalars, so that there is nothing to load.
    """

    __slots__ = ("_flow", "_known", "_resolved", "arguments", "inputs", "is_plain", "item")

    def __init__(
        self,
        resolved: ResolvedTask | Payload,
        item: Item[object] | None,
        arguments: Arguments,
        known: Arguments,
        flow: Callable[[], str | None],
        *,
        inputs: tuple[Future[object], ...] = (),
        is_plain: bool = False,
    ) -> None:
        self._resolved = resolved
        self.item = item
        self.arguments = arguments
        self._known = known
        self._flow = flow
        self.inputs = inputs
        self.is_plain = is_plain

    @property
    def task(self) -> TaskDefinition:
        """The task that is called."""
        return self._resolved.task

    @property
    def mode(self) -> Mode:
        """The mode of the call."""
        return self._resolved.mode

    @property
    def options(self) -> Options:
        """The task's options where the call was made."""
        return self._resolved.options

    @property
    def fields(self) -> Fields:
        """What the templates of the task may name; only where the call was made."""
        assert isinstance(self._resolved, ResolvedTask)
        return Fields(self._resolved.fields, self._known, self._flow)

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
        return Payload.of(self._resolved, self.fields.context, quoted)

    def __reduce__(self) -> tuple[Callable[..., Call], tuple[Payload, Item[object] | None]]:
        return _arrived, (self.payload, self.item)

    def for_task(self, task: TaskDefinition | None) -> Call:
        """Return the call as it arrives elsewhere, with the task as it is known there."""
        return _arrived(self.payload._replace(task=cast(TaskDefinition, task)), self.item)

    def run(self, *args: object, **kwargs: object) -> Outcome:
        """Skip the call if its output exists, else load its inputs, run it, save its output.

        Parameters:
            *args: the arguments of the function, without futures; items are loaded.
            **kwargs: the same by name.

        Raises:
            SaveError: if the output cannot be saved.
        """
        with observed(self):
            return self._run(args, kwargs)

    async def run_async(self, *args: object, **kwargs: object) -> Outcome:
        """Do what `run` does for a task that is an async function or an async generator."""
        with observed(self):
            return await self._run_async(args, kwargs)

    def _run(self, args: tuple[object, ...], kwargs: Arguments) -> Outcome:
        started = time.perf_counter()
        with OneAtATime(self.item, self.task.name) as turn:
            if turn.other is not None:
                return cast(Outcome, turn.other.result())
            with self._surroundings(), self._lock():
                if self._is_finished():
                    outcome = Outcome(self.item, True)
                else:
                    args, kwargs = self._inputs(args, kwargs)
                    data = self.task.fn(*args, **kwargs)
                    outcome = self._keep(list(data) if self.task.isgenerator else data, started)
            turn.outcome = outcome
        return outcome

    async def _run_async(self, args: tuple[object, ...], kwargs: Arguments) -> Outcome:
        started = time.perf_counter()
        with OneAtATime(self.item, self.task.name) as turn:
            if turn.other is not None:
                return cast(Outcome, await asyncio.wrap_future(turn.other))
            with self._surroundings():
                async with InThread(self._lock()):
                    if self._is_finished():
                        outcome = Outcome(self.item, True)
                    else:
                        args, kwargs = self._inputs(args, kwargs)
                        result = self.task.fn(*args, **kwargs)
                        is_generator = self.task.isgenerator
                        data = [part async for part in result] if is_generator else await result
                        outcome = self._keep(data, started)
            turn.outcome = outcome
        return outcome

    def _is_finished(self) -> bool:
        [facts] = look([self])
        return isinstance(decide(facts), Skip)

    def _inputs(
        self, args: tuple[object, ...], kwargs: Arguments
    ) -> tuple[tuple[object, ...], Arguments]:
        if self.is_plain:
            return args, kwargs
        signature = self.task.signature
        untouched = signature.wants_items | self.payload.quoted
        return signature.unbind(load_items(signature.bind(args, kwargs), untouched))

    def _keep(self, data: object, started: float) -> Outcome:
        # A function may return a state instead of data, also a failed one.
        if isinstance(data, State) and data.is_completed():
            data = data.result(_sync=True)
        if self.item is None or not self.options.save or isinstance(data, State):
            return Outcome(data, False, time.perf_counter() - started)
        try:
            self.item.store.save(self.item.location, data)
        except PrefectxError as error:
            raise type(error)(f"task {self.task.name!r}: {error}") from error
        except Exception as error:  # whatever a store that somebody wrote may raise
            where = f"{self.item.location!r} in {self.item.store!r}"
            reason = f"{type(error).__name__}: {error}"
            raise SaveError(f"task {self.task.name!r}: cannot save {where}: {reason}") from error
        return Outcome(self.item, False, time.perf_counter() - started)

    def _lock(self) -> AbstractContextManager[None]:
        """Keep other processes and hosts from running the same call, with `lock = true`."""
        if self.item is None or not self.options.lock or not self.mode.keeps:
            return _NOTHING
        return self.item.store.lock(self.item.location)

    def _surroundings(self) -> AbstractContextManager[None]:
        """Have the settings and the context that held where the call was made."""
        if isinstance(self._resolved, Payload):
            return self._resolved.unpacked()
        if self._resolved.settings is settings.current():
            return _NOTHING
        return self.payload.unpacked()


def _arrived(payload: Payload, item: Item[object] | None) -> Call:
    return Call(payload, item, {}, {}, lambda: None)

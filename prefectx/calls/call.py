"""Call: one invocation of one task. It loads its inputs, runs the function, keeps the output."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import cast

from prefectx.arguments.references import load
from prefectx.arguments.signature import Arguments
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.decision import REMAKES, Refuse, Run, Skip, decide
from prefectx.calls.facts import look
from prefectx.calls.inputs import load_inputs
from prefectx.calls.one_at_a_time import ABANDONED, InThread, OneAtATime, locked
from prefectx.calls.own_output import written
from prefectx.calls.payload import FlowName, Outcome, Payload, Portable
from prefectx.calls.redefinitions import REDEFINITIONS
from prefectx.calls.refusal import refusal
from prefectx.calls.resolved_task import ResolvedTask
from prefectx.calls.task_definition import TaskDefinition
from prefectx.errors import PrefectxError, SaveError
from prefectx.futures import Future, State, data_of
from prefectx.item import Item
from prefectx.masking import mask_urls
from prefectx.modes import Mode
from prefectx.monitoring.hooks import observed
from prefectx.records import Sources, check_code, put_back, recording
from prefectx.settings import Options


class Call(Portable):
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
        is_plain: whether the arguments are scalars: there is nothing to load.
    """

    __slots__ = (
        "_flow", "_known", "arguments", "function", "given", "inputs",
        "is_plain", "item", "mode", "options", "task", "version")  # fmt: skip

    def __init__(
        self,
        resolved: ResolvedTask | Payload,
        item: Item[object] | None,
        arguments: Arguments,
        known: Arguments,
        flow: FlowName,
        *,
        inputs: tuple[Future[object], ...] = (),
        is_plain: bool = False,
    ) -> None:
        self.task: TaskDefinition = resolved.task
        self.mode: Mode = resolved.mode
        self.options: Options = resolved.options
        self.function = resolved.function
        self.item = item
        self.arguments = self.given = arguments
        self.inputs = inputs
        self.is_plain = is_plain
        self.version = resolved.version
        self._resolved = resolved
        self._known = known
        self._flow = flow
        self._lineage = None

    @classmethod
    def with_scalars(
        cls, task: ResolvedTask, row: tuple[object, ...], location: str, flow: FlowName
    ) -> Call:
        """Return the call of scalars whose output the fast path has found missing, and claimed."""
        arguments = dict(zip(task.callee.names, row, strict=True))
        item: Item[object] = Item(task.fast_path.store, location)
        return cls(task, item, arguments, arguments, flow, is_plain=True)

    def run(self, *args: object, **kwargs: object) -> Outcome:
        """Skip the call if its output exists, else load its inputs, run it, save its output.

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
        started, outcome = time.perf_counter(), ABANDONED
        while outcome is ABANDONED:
            with OneAtATime(self.item, self.task.name) as turn:
                if turn.other is not None:
                    outcome = turn.other.result()
                    continue
                with self.surroundings(), locked(self):
                    self._arrive(args, kwargs)
                    if self._is_finished():
                        outcome = Outcome(self.item, True)
                    else:
                        sources = self._sources()
                        args, kwargs = self._inputs(args, kwargs)
                        with written(self.item) if not self.options.save else nullcontext():
                            data = self.function(*args, **kwargs)
                            data = list(data) if self.task.isgenerator else data
                        outcome = self._keep(data, started, sources)
                turn.outcome = outcome
        return cast(Outcome, outcome)

    async def _run_async(self, args: tuple[object, ...], kwargs: Arguments) -> Outcome:
        started, outcome = time.perf_counter(), ABANDONED
        while outcome is ABANDONED:
            with OneAtATime(self.item, self.task.name) as turn:
                if turn.other is not None:
                    outcome = await asyncio.shield(asyncio.wrap_future(turn.other))
                    continue
                with self.surroundings():
                    async with InThread(locked(self)):
                        self._arrive(args, kwargs)
                        if self._is_finished():
                            outcome = Outcome(self.item, True)
                        else:
                            sources = self._sources()
                            args, kwargs = self._inputs(args, kwargs)
                            with written(self.item) if not self.options.save else nullcontext():
                                result = self.function(*args, **kwargs)
                                is_generator = hasattr(result, "__aiter__")
                                data = [x async for x in result] if is_generator else await result
                            outcome = self._keep(data, started, sources)
                turn.outcome = outcome
        return cast(Outcome, outcome)

    def _arrive(self, args: tuple[object, ...], kwargs: Arguments) -> None:
        """Take note of the arguments as they are when the inputs are over."""
        if not self.is_plain:
            self.given = self.task.signature.bind(args, kwargs)
        if self.lineage is not None and not isinstance(self._resolved, ResolvedTask):
            check_code(self.lineage.recipe, self.lineage.origin.packages, self.task.fn)

    def _is_finished(self) -> bool:
        """Decide once more; True: the output is there, False: the function has to run."""
        decision = decide(*look([self]))
        if isinstance(decision, Refuse):
            raise refusal(self.task.name, decision)
        if self.options.keep and isinstance(decision, Run) and decision.reason in REMAKES:
            return put_back(self.recall(), self.item, self.given)
        return isinstance(decision, Skip)

    def _sources(self) -> Sources | None:
        """Return what the function is about to read."""
        if isinstance(self._resolved, ResolvedTask) and self._resolved.lineages is not None:
            self._resolved.lineages.keep_code()
        return None if self.lineage is None else self.lineage.sources(self.given)

    def _inputs(
        self, args: tuple[object, ...], kwargs: Arguments
    ) -> tuple[tuple[object, ...], Arguments]:
        if self.is_plain:
            return args, kwargs
        untouched = self.task.signature.wants_items | self.payload.quoted
        return load_inputs(self.given, self.task.signature, untouched, self.lineage)

    def _keep(self, data: object, started: float, sources: Sources | None) -> Outcome:
        # A function may return a state instead of data; Prefect deals with a failed one itself.
        state = data if isinstance(data, State) else None
        if state is not None and (state.is_completed() or not self.mode.is_prefect):
            data = data_of(state)
        if data is None and not self.options.save and self.mode.keeps:
            data = self.item  # it has returned what it has saved
        elif type(data) not in ATOMS and not isinstance(data, State):
            data = load(data)
        if self.item is not None and not isinstance(data, State):
            seconds = time.perf_counter() - started
            with recording(self.lineage, self.item, sources, self.given, seconds):
                if self.options.save:
                    self._save(self.item, data)
                    data = self.item
        if self.version is not None:
            REDEFINITIONS.renew(self.item, self.version)
        return Outcome(data, False, time.perf_counter() - started, state)

    def _save(self, item: Item[object], data: object) -> None:
        try:
            item.store.save(item.location, data)
        except PrefectxError as error:
            raise type(error)(f"task {self.task.name!r}: {error}") from error
        except Exception as error:  # whatever a store that somebody wrote may raise
            where = f"{mask_urls(item.location)!r} in {item.store!r}: {type(error).__name__}"
            raise SaveError(f"task {self.task.name!r}: cannot save {where}: {error}") from error

"""Call, one invocation of one task, and the one caching step that every caching mode uses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from prefectx import settings
from prefectx.annotations import is_marked, quote
from prefectx.claims import CLAIMS, Claim
from prefectx.errors import PrefectxError, TargetError
from prefectx.fingerprint import comparable
from prefectx.futures import AnyState, state_result
from prefectx.item import Item
from prefectx.memory import trimming
from prefectx.recipe import Fields
from prefectx.references import load_items, settle
from prefectx.runtime import current_values, use_values

if TYPE_CHECKING:
    from prefectx.settings import Options, Settings
    from prefectx.tasks import Task

_active: ContextVar[tuple[Item | None, ...]] = ContextVar("prefectx_active", default=())


class Outcome(NamedTuple):
    """What a call came to: an item or data, and whether the function was skipped."""

    value: Any
    skipped: bool


class Call:
    """One call of one task.

    Pickled it carries everything that a worker needs, but for the arguments: these are given to
    `run`, when the futures among them are resolved.

    Parameters:
        task: the task.
        item: the output, None where none is kept.
        options: the task's options where the call was made.
        settings: the settings in force there, for the calls that the function makes.
        context: the values for templates there, likewise.
        untouched: the names of arguments whose items are not loaded.
        fields: what its templates may name; None on a worker, where they are filled.
    """

    __slots__ = ("context", "fields", "item", "options", "settings", "task", "untouched")

    def __init__(
        self,
        task: Task[..., Any],
        item: Item | None,
        options: Options,
        settings: Settings,
        context: Mapping[str, Any],
        untouched: frozenset[str],
        fields: Fields | None = None,
    ) -> None:
        self.task = task
        self.item = item
        self.options = options
        self.settings = settings
        self.context = context
        self.untouched = untouched
        self.fields = fields

    def __reduce__(self) -> tuple[type[Call], tuple[Any, ...]]:
        parts = (self.task, self.item, self.options, self.settings, self.context, self.untouched)
        return Call, parts

    @property
    def is_finished(self) -> bool:
        """Whether the function need not run, as the output exists."""
        return self.item is not None and not self.options.refresh and self.item.exists()

    def run(self, *args: Any, **kwargs: Any) -> Outcome:
        """Skip the call if its output exists, else load its inputs, run it, save its output.

        Parameters:
            *args: the arguments of the function, without futures; items are loaded.
            **kwargs: likewise.

        Raises:
            SaveError: where the output cannot be saved.
        """
        with trimming(self.options.dask.trim):
            return self._run(args, kwargs)

    async def run_async(self, *args: Any, **kwargs: Any) -> Outcome:
        """Do what `run` does for a task that is an async function or an async generator."""
        with trimming(self.options.dask.trim):
            return await self._run_async(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        with self._turn() as turn:
            if turn.awaited is not None:
                return turn.awaited.result()
            if self.is_finished:
                return turn.end(Outcome(self.item, True))
            args, kwargs = self._inputs(args, kwargs)
            data = self.task.fn(*args, **kwargs)
            return turn.end(self._keep(list(data) if self.task.isgenerator else data))

    async def _run_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        with self._turn() as turn:
            if turn.awaited is not None:
                return await asyncio.wrap_future(turn.awaited)
            if self.is_finished:
                return turn.end(Outcome(self.item, True))
            args, kwargs = self._inputs(args, kwargs)
            result = self.task.fn(*args, **kwargs)
            data = [part async for part in result] if self.task.isgenerator else await result
            return turn.end(self._keep(data))

    def _inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        binder = self.task.binder
        arguments = binder.bind(args, kwargs)
        return binder.unbind(load_items(arguments, binder.wants_items | self.untouched))

    def _keep(self, data: Any) -> Outcome:
        # A function may return a state in the place of data, a failed one too.
        if isinstance(data, AnyState) and data.is_completed():
            data = state_result(data)
        if self.item is None or not self.options.save or isinstance(data, AnyState):
            return Outcome(data, False)
        try:
            self.item.save(data)
        except PrefectxError as error:
            raise type(error)(f"task {self.task.name!r}: {error}") from error
        return Outcome(self.item, False)

    @contextmanager
    def _turn(self) -> Iterator[_Turn]:
        """Run the same call once at a time: who comes second gets the outcome of the first."""
        item = self.item
        running, first = CLAIMS.start(item) if item is not None else (None, True)
        if not first:
            if item in _active.get():
                raise TargetError(f"task {self.task.name!r} calls itself with the same arguments")
            yield _Turn(awaited=running)
            return
        try:
            with self._surroundings():
                yield _Turn(outcome=running)
        except BaseException as error:
            if running is not None:
                running.set_exception(error)
            raise
        finally:
            if item is not None:
                CLAIMS.finish(item)

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        token = _active.set((*_active.get(), self.item))
        try:
            with settings.use(self.settings), use_values(self.context):
                yield
        finally:
            _active.reset(token)


class _Turn(NamedTuple):
    """Either the run of the same call that is under way, or the outcome to set for others."""

    awaited: Future[Outcome] | None = None
    outcome: Future[Outcome] | None = None

    def end(self, outcome: Outcome) -> Outcome:
        if self.outcome is not None:
            self.outcome.set_result(outcome)
        return outcome


def make_call(task: Task[..., Any], arguments: dict[str, Any], flow: str | None) -> Call:
    """Make the call of a task: resolve its options, fill its target, claim it.

    Parameters:
        task: the task.
        arguments: its arguments by name, defaults applied; futures among them may be pending.
        flow: the name of the flow that makes the call, None outside a flow.

    Raises:
        TargetError: where the target cannot be filled or belongs to a different call.
        UpstreamError: where an input that the target needs has failed.
    """
    recipe = task.recipe()
    untouched = frozenset(name for name, value in arguments.items() if is_marked(value, quote))
    values = {**recipe.options.context, **current_values()}
    settled = settle(arguments) if recipe.target is not None else arguments
    fields = Fields(recipe, settled, values, flow)
    item = recipe.item(fields)
    call = Call(task, item, recipe.options, recipe.settings, values, untouched, fields)
    if item is not None and not recipe.options.shared:
        compared = {name: comparable(value) for name, value in settled.items()}
        CLAIMS.check(call, Claim(task.qualified_name, compared))
    return call


def current_target() -> Item:
    """Return the item to write to, inside a task that saves its own output.

    Raises:
        TargetError: outside a task, and in one whose output is not kept.
    """
    item = _active.get()[-1] if _active.get() else None
    if item is None:
        raise TargetError(
            "there is no current target: it is there inside a task that has one, in the caching"
            " modes"
        )
    return item

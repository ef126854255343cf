"""Call, one invocation of one task, and the one caching step that every caching mode uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from prefectx import settings
from prefectx.arguments.fingerprint import comparable
from prefectx.arguments.marks import is_marked, quote
from prefectx.arguments.references import load_items, settle
from prefectx.arguments.traversal import ATOMS
from prefectx.calls.one_at_a_time import Turn
from prefectx.calls.resolved_task import Recipe
from prefectx.calls.target_owners import CLAIMS
from prefectx.errors import CorruptItemError, PrefectxError, SaveError, StoreError
from prefectx.futures import AnyState, state_result
from prefectx.item import Item, Store
from prefectx.monitoring.memory import trimming
from prefectx.runtime import current_values, use_values
from prefectx.targets.fields import Fields

if TYPE_CHECKING:
    from prefectx.settings import Options, Settings
    from prefectx.tasks.task import Task

_log = logging.getLogger("prefectx.calls")
_NOTHING = nullcontext()


class Outcome(NamedTuple):
    """What a call came to: an item or data, and whether the function was skipped."""

    value: Any
    skipped: bool


class Baggage(NamedTuple):
    """What a call takes to a worker."""

    task: Task[..., Any]
    options: Options
    settings: Settings
    context: Mapping[str, Any]
    untouched: frozenset[str]
    keeps: bool


class Call:
    """One call of one task.

    Pickled it carries everything that a worker needs, but for the arguments: these are given to
    `run`, when the futures among them are resolved.

    Parameters:
        recipe: the task with its options and settings where the call was made.
        item: the output, None where none is kept.
        arguments: the arguments as they were given; empty on a worker.
        lookup: what the target was filled from.
        flow: gives the name of the flow that makes the call.
        is_plain: whether there is nothing to load or to resolve in the arguments.
    """

    __slots__ = ("_flow", "_given", "_lookup", "_recipe", "is_plain", "item")

    def __init__(
        self,
        recipe: Recipe | Baggage,
        item: Item | None,
        arguments: dict[str, Any],
        lookup: dict[str, Any],
        flow: Callable[[], str | None],
        *,
        is_plain: bool = False,
    ) -> None:
        self._recipe = recipe
        self.item = item
        self._given = arguments
        self._lookup = lookup
        self._flow = flow
        self.is_plain = is_plain

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self._baggage(), self.item)

    def _baggage(self) -> Baggage:
        recipe = self._recipe
        if isinstance(recipe, Baggage):
            return recipe
        quoted = frozenset(name for name, value in self._given.items() if is_marked(value, quote))
        return Baggage(
            recipe.task,
            recipe.options,
            recipe.settings,
            self.fields.context,
            quoted,
            recipe.keeps,
        )

    def for_task(self, task: Any) -> Call:
        """Return the call as it arrives elsewhere, with the task as it is known there.

        Parameters:
            task: the task; None on the way to who knows it.
        """
        return _arrived(self._baggage()._replace(task=task), self.item)

    @property
    def fields(self) -> Fields:
        """What the templates of the task may name; only where the call was made."""
        if isinstance(self._lookup, Fields):
            return self._lookup
        return Fields(cast("Recipe", self._recipe), self._lookup, self._flow)

    @property
    def task(self) -> Task[..., Any]:
        """The task; it is pickled by name where that is possible."""
        return self._recipe.task

    @property
    def options(self) -> Options:
        """The task's options where the call was made."""
        return self._recipe.options

    @property
    def may_be_finished(self) -> bool:
        """Whether an output that exists is a reason not to run the function."""
        return self.item is not None and self._recipe.keeps and not self.options.refresh

    @property
    def is_sound(self) -> bool:
        """Whether the output that exists counts: with `on_corrupt = "rerun"` it is read first."""
        if self.options.on_corrupt == "error" or self.item is None:
            return True
        try:
            self.item.load()
        except CorruptItemError as error:
            _log.warning("Task %r runs again: %s", self.task.name, error)
            return False
        return True

    @property
    def is_finished(self) -> bool:
        """Whether the function need not run, as the output exists."""
        try:
            item = self.item
            return item is not None and self.may_be_finished and item.exists() and self.is_sound
        except StoreError as error:
            raise type(error)(f"task {self.task.name!r}: {error}") from error

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
        with Turn(self.item, self.task.name) as turn:
            if turn.running is not None:
                return cast(Outcome, turn.running.result())
            with self._surroundings(), self._lock():
                if self.is_finished:
                    return turn.end(Outcome(self.item, True))
                args, kwargs = self._inputs(args, kwargs)
                data = self.task.fn(*args, **kwargs)
                return turn.end(self._keep(list(data) if self.task.isgenerator else data))

    async def _run_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
        with Turn(self.item, self.task.name) as turn:
            if turn.running is not None:
                return cast(Outcome, await asyncio.wrap_future(turn.running))
            with self._surroundings():
                async with _InThread(self._lock()):
                    if self.is_finished:
                        return turn.end(Outcome(self.item, True))
                    args, kwargs = self._inputs(args, kwargs)
                    result = self.task.fn(*args, **kwargs)
                    is_generator = self.task.isgenerator
                    data = [part async for part in result] if is_generator else await result
                    return turn.end(self._keep(data))

    def _inputs(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if self.is_plain:
            return args, kwargs
        binder = self.task.binder
        arguments = binder.bind(args, kwargs)
        untouched = binder.wants_items | self._baggage().untouched
        return binder.unbind(load_items(arguments, untouched))

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
        except Exception as error:  # whatever a store that somebody wrote may raise
            where = f"{self.item.location!r} in {self.item.store!r}"
            reason = f"{type(error).__name__}: {error}"
            raise SaveError(f"task {self.task.name!r}: cannot save {where}: {reason}") from error
        return Outcome(self.item, False)

    def _lock(self) -> AbstractContextManager[None]:
        """Keep other processes and hosts from running the same call, where that is asked for."""
        if self.item is None or not self.options.lock or not self._recipe.keeps:
            return _NOTHING
        return self.item.store.lock(self.item.location)

    def _surroundings(self) -> AbstractContextManager[Any]:
        """Have what held where the call was made: its settings, the values set at run time."""
        if isinstance(self._recipe, Recipe) and self._recipe.settings is settings.current():
            return _NOTHING
        return _unpacked(self._baggage())


@contextmanager
def _unpacked(baggage: Baggage) -> Iterator[None]:
    with settings.use(baggage.settings), use_values(baggage.context):
        yield


class _InThread:
    """A context whose beginning may take long: the event loop goes on meanwhile."""

    def __init__(self, context: AbstractContextManager[None]) -> None:
        self._context = context

    async def __aenter__(self) -> None:
        if self._context is _NOTHING:
            return
        entering = asyncio.ensure_future(asyncio.to_thread(self._context.__enter__))
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            # The thread goes on: what it gets at last is given back.
            entering.add_done_callback(self._leave)
            raise

    def _leave(self, entering: asyncio.Future[None]) -> None:
        if not entering.cancelled() and entering.exception() is None:
            self._context.__exit__(None, None, None)

    async def __aexit__(self, *error: Any) -> None:
        self._context.__exit__(*error)


def make_call(recipe: Recipe, arguments: dict[str, Any], flow: Callable[[], str | None]) -> Call:
    """Make the call of a task: fill its target and claim it.

    Parameters:
        recipe: the task with its resolved options.
        arguments: its arguments by name, defaults applied; futures among them may be pending.
        flow: gives the name of the flow that makes the call, None outside a flow.

    Raises:
        TargetError: where the target cannot be filled or belongs to a different call.
        UpstreamError: where an input that the target needs has failed.
    """
    if recipe.target is None:
        return Call(recipe, None, arguments, Fields(recipe, arguments, flow), flow)
    # Atoms are what they are; everything else has to be looked into.
    plain = ATOMS.issuperset([type(value) for value in arguments.values()])
    known = arguments if plain else settle(arguments)
    lookup = known if recipe.is_closed and not current_values() else Fields(recipe, known, flow)
    item = recipe.item(lookup)
    if not recipe.options.shared:
        values = tuple(known.values() if plain else map(comparable, known.values()))
        CLAIMS.check(item, (recipe.signature, values), recipe.target)
    return Call(recipe, item, arguments, lookup, flow, is_plain=plain)


def are_finished(calls: Sequence[Call]) -> list[bool]:
    """Tell for each call whether its output exists, asking each store for all of them at once."""
    wanted: dict[Store, list[str]] = {}
    for call in calls:
        if call.item is not None and call.may_be_finished:
            wanted.setdefault(call.item.store, []).append(call.item.location)
    found = {store: store.exists_many(locations) for store, locations in wanted.items()}
    nothing: frozenset[str] = frozenset()
    return [
        call.item is not None
        and call.item.location in found.get(call.item.store, nothing)
        and call.is_sound
        for call in calls
    ]


def _arrived(baggage: Baggage, item: Item | None) -> Call:
    return Call(baggage, item, {}, {}, lambda: None)

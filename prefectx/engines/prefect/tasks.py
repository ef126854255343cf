"""A task that is a `prefect.Task` as well, and its copies for single calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from prefect import Task as StockTask
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.utilities.visualization import get_task_viz_tracker

from prefectx.calls import Call, TaskDefinition
from prefectx.engines.prefect.api import with_api
from prefectx.engines.prefect.steps import SENT, Served, Step, Watched
from prefectx.tasks.state_hooks import H
from prefectx.tasks.task import P, R, Task

_PERSISTENCE = frozenset(
    {
        "persist_result",
        "cache_policy",
        "cache_key_fn",
        "cache_expiration",
        "result_storage",
        "result_storage_key",
        "result_serializer",
    }
)


class PrefectTask(Task[P, R], StockTask[P, R]):  # type: ignore[misc]  # calls differ by overloads
    """A task that Prefect and its task workers treat as one of Prefect's."""

    def __init__(
        self,
        fn: Callable[P, R],
        keywords: Mapping[str, object] | None = None,
        prefect_keywords: Mapping[str, Any] | None = None,
    ) -> None:
        # The default of Prefect's decorator, not of its class: None takes the value of the flow.
        StockTask.__init__(self, fn, **{"log_prints": None, **(prefect_keywords or {})})
        Task.__init__(self, fn, keywords, prefect_keywords)
        self.task_run_name = cast(Any, self.keywords.get("task_run_name"))

    def _hook(self, kind: str, fn: H) -> H:
        getattr(self, f"{kind}_hooks").append(fn)
        return super()._hook(kind, fn)

    serve = with_api(StockTask.serve)
    aserve = with_api(StockTask.aserve)

    def __call__(  # type: ignore[override]  # Prefect's differs by overloads
        self, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run the task; while `visualize` draws a flow, as a plain Prefect task."""
        if get_task_viz_tracker() is None:
            return super().__call__(*args, **kwargs)
        return StockTask.__call__(self, *args, **kwargs)

    def with_options(self, **options: Any) -> Self:
        """Return a copy of the task with other options, prefectx's or Prefect's.

        Raises:
            TypeError: if an option belongs to neither.
        """
        changed = super().with_options(**options)
        # Prefect's task worker makes the copies that it runs by this method, however a task is
        # served. There is no other sign that this process is a task worker.
        asked_by = sys._getframe(1).f_globals.get("__name__")
        return changed.served() if asked_by == "prefect.task_worker" else changed

    async def create_run(self, *args: Any, **kwargs: Any) -> TaskRun:
        """Create a task run; its inputs do not list what a delayed call takes along."""
        if SENT in (kwargs.get("parameters") or ()):
            kwargs["parameters"] = _Unlisted(kwargs["parameters"])
        return await super().create_run(*args, **kwargs)

    def served(self) -> Self:
        """Return a copy for a task worker; it runs calls that other processes have made."""
        copy = self.copy()
        copy.fn = copy.__wrapped__ = served = Served(self)
        copy.isgenerator = False
        if not callable(self.task_run_name):
            copy.task_run_name = cast(Any, served.run_name)
        return copy

    def _replace(self, own: dict[str, object], prefect: dict[str, object]) -> Self:
        copy = super()._replace(own, prefect)
        # Prefect's with_options returns a plain task; copy what it has made of the options.
        with_options: Callable[..., object] = StockTask.with_options
        plain = vars(with_options(self, **prefect))
        copy.__dict__ |= {name: plain[name] for name in plain.keys() - _KEPT}
        copy.task_run_name = cast(Any, copy.keywords.get("task_run_name"))
        return copy

    def named(self, run_name: str | None) -> Self:
        """Return a copy whose runs have this name, a template of Prefect; None changes nothing."""
        copy = self.copy()
        if run_name is not None:
            copy.task_run_name = run_name
        return copy

    def for_call(self, call: Call, *, is_finished: bool = False) -> Self:
        """Return a copy for one call, which runs the caching step instead of the function.

        Parameters:
            call: the call.
            is_finished: whether its output exists; then retries and timeouts do not apply.
        """
        copy = self.copy()
        copy.fn = copy.__wrapped__ = step = Step(call, is_finished)
        copy.isgenerator = False
        copy.on_rollback_hooks = [*self.on_rollback_hooks, step.undo]
        if is_finished:
            copy.retries, copy.timeout_seconds = 0, None
            copy.tags = set()  # a finished call waits for no slot of a tag
        if self.prefect_keywords.keys().isdisjoint(_PERSISTENCE):
            copy.persist_result = False
            copy.cache_policy = NO_CACHE
        elif call.item is not None:
            # A hit in Prefect's cache would give an item whose output may be deleted.
            copy.cache_policy = NO_CACHE
        return copy

    def watched(self, call: Call) -> Self:
        """Return a copy for one call that keeps nothing; the hooks observe its run."""
        if call.options.keepalive.interval is None:
            return self
        copy = self.copy()
        copy.fn = Watched(call)
        return copy

    def __reduce__(self) -> tuple[object, ...]:
        if isinstance(self.fn, Step):
            return _task_for_call, (self.fn.call, self.task_run_name, self.fn.is_finished)
        if isinstance(self.fn, Watched):
            return _watched, (self.fn.call,)
        return super().__reduce__()

    @classmethod
    def _from_name(cls, module: str, qualname: str) -> Self:
        return cast(Self, prefect_task(super()._from_name(module, qualname)))


class _Unlisted(dict[str, object]):
    """Parameters of which one does not show among the items; another process gets all of them."""

    def items(self) -> Any:
        """Return the user's parameters."""
        return [(name, value) for name, value in super().items() if name != SENT]

    def __reduce__(self) -> tuple[object, ...]:
        return dict, ({name: self[name] for name in self},)


# Attributes that `with_options` leaves alone, or sets to the values of a plain Prefect task.
_KEPT = frozenset(
    {"fn", "__wrapped__", "isasync", "isgenerator", "task_run_name", "task_key", "source_code"}
)


def prefect_task(task: TaskDefinition) -> PrefectTask[..., object]:
    """Return the task, or the Prefect task of a task decorated in another mode."""
    if isinstance(task, PrefectTask):
        return task
    assert isinstance(task, Task)
    twin: PrefectTask[..., object] | None = task.__dict__.get("_twin")
    if twin is None:
        fn = task.kind(task.fn) if task.kind else task.fn
        twin = PrefectTask(fn, task.keywords, task.prefect_keywords)
        twin.owner = task.owner
        task.__dict__["_twin"] = twin
    return twin


def _task_for_call(call: Call, name: str | None, is_finished: bool) -> PrefectTask[..., object]:
    return prefect_task(call.task).named(name).for_call(call, is_finished=is_finished)


def _watched(call: Call) -> PrefectTask[..., object]:
    return prefect_task(call.task).watched(call)

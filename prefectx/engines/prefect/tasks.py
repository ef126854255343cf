"""A task that is Prefect's as well, and what Prefect runs for one call of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from prefect import Task as StockTask
from prefect.cache_policies import NO_CACHE

from prefectx.call import Call, Outcome
from prefectx.engines.prefect.futures import cached_state
from prefectx.tasks import P, R, Task

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
    """A task that Prefect, its deployments and its workers take for one of their own."""

    def __init__(
        self,
        fn: Callable[P, R],
        keywords: dict[str, Any] | None = None,
        prefect_keywords: dict[str, Any] | None = None,
    ) -> None:
        StockTask.__init__(self, fn, **(prefect_keywords or {}))
        Task.__init__(self, fn, keywords, prefect_keywords)
        self.task_run_name = self.keywords.get("task_run_name")

    def _replace(self, own: dict[str, Any], prefect: dict[str, Any]) -> Self:
        copy = super()._replace(own, prefect)
        # Prefect's with_options returns a plain task: what it made of the options is taken over.
        plain = vars(StockTask.with_options(self, **prefect))
        copy.__dict__ |= {name: plain[name] for name in plain.keys() - _KEPT}
        copy.task_run_name = copy.keywords.get("task_run_name")
        return copy

    def named(self, run_name: str | None) -> Self:
        """Return a task whose runs have this name, a template of Prefect's; None changes none."""
        copy = self.copy()
        if run_name is not None:
            copy.task_run_name = run_name
        return copy

    def for_call(self, call: Call) -> Self:
        """Return a task for one call: in place of the function it runs the caching step."""
        copy = self.copy()
        copy.fn = copy.__wrapped__ = Step(call)
        copy.isgenerator = False
        if self.prefect_keywords.keys().isdisjoint(_PERSISTENCE):
            copy.persist_result = False
            copy.cache_policy = NO_CACHE
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self.fn, Step):
            return _task_for_call, (self.fn.call, self.task_run_name)
        return super().__reduce__()

    @classmethod
    def _from_name(cls, module: str, qualname: str) -> Any:
        return prefect_task(super()._from_name(module, qualname))


# What `with_options` does not change, or changes to what Prefect knows of it.
_KEPT = frozenset({"fn", "__wrapped__", "isasync", "isgenerator", "task_run_name"})


class Step:
    """What Prefect runs for one call: the caching step, with the signature of the function."""

    def __init__(self, call: Call) -> None:
        self.call = call
        fn = call.task.fn
        self.__name__, self.__qualname__ = fn.__name__, fn.__qualname__
        self.__module__, self.__doc__ = fn.__module__, fn.__doc__
        self.__signature__ = call.task.binder.signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the call; a skipped one ends in the state Cached."""
        if self.call.task.isasync:
            return self._run_async(*args, **kwargs)
        return _as_prefect_result(self.call.run(*args, **kwargs))

    async def _run_async(self, *args: Any, **kwargs: Any) -> Any:
        return _as_prefect_result(await self.call.run_async(*args, **kwargs))

    def __reduce__(self) -> tuple[type[Step], tuple[Call]]:
        return Step, (self.call,)


def prefect_task(task: Task[..., Any]) -> PrefectTask[..., Any]:
    """Return the task itself, or where it was decorated in another mode its Prefect twin."""
    if isinstance(task, PrefectTask):
        return task
    twin: PrefectTask[..., Any] | None = task.__dict__.get("_twin")
    if twin is None:
        fn = task.kind(task.fn) if task.kind else task.fn
        twin = PrefectTask(fn, task.keywords, task.prefect_keywords)
        twin.owner = task.owner
        task.__dict__["_twin"] = twin
    return twin


def _task_for_call(call: Call, name: Any) -> PrefectTask[..., Any]:
    return prefect_task(call.task).named(name).for_call(call)


def _as_prefect_result(outcome: Outcome) -> Any:
    return cached_state(outcome.value) if outcome.skipped else outcome.value

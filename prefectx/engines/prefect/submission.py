"""A call on its way to Prefect: what is handed over, or that nothing need be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from prefect.context import FlowRunContext

from prefectx.calls.call import Call, are_finished, make_call
from prefectx.calls.resolved_task import Recipe
from prefectx.engines.prefect.arguments import for_prefect, hold_items
from prefectx.engines.prefect.steps import Delayed
from prefectx.engines.prefect.tasks import PrefectTask, prefect_task
from prefectx.errors import TargetError
from prefectx.item import Item
from prefectx.runtime import flow_name
from prefectx.tasks.task import Task


class Submission:
    """One call, made ready for Prefect.

    Parameters:
        recipe: the recipe of the task that is called.
        call: the call.
        arguments: the arguments of the function by name, defaults applied.
        is_finished: whether the output exists and the function need not run.

    Attributes:
        item: the output, None where none is kept.
        is_skipped: whether the call goes past Prefect, as it is finished.
    """

    __slots__ = ("_arguments", "_call", "_recipe", "_task", "is_finished", "is_skipped", "item")

    def __init__(
        self, recipe: Recipe, call: Call, arguments: dict[str, Any], is_finished: bool
    ) -> None:
        self._task = recipe.task
        self._recipe = recipe
        self._arguments = arguments
        self._call = call
        self.item: Item | None = call.item
        self.is_finished = is_finished
        self.is_skipped = is_finished and recipe.mode.skips

    @classmethod
    def of(cls, recipe: Recipe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Submission:
        """Make the submission of one call.

        Raises:
            TargetError: where the target cannot be filled or belongs to a different call.
            TypeError: where the arguments do not fit the function.
        """
        arguments = recipe.task.binder.bind(args, kwargs)
        call = make_call(recipe, arguments, current_flow_name)
        return cls(recipe, call, arguments, call.is_finished)

    @classmethod
    def of_each(cls, recipe: Recipe, rows: Iterable[tuple[Any, ...]]) -> Iterator[Submission]:
        """Make the submissions of calls with given arguments; the stores are asked once for all.

        Parameters:
            recipe: the recipe of the task that is called.
            rows: of each call the arguments in the order of the parameters, defaults applied.

        Raises:
            TargetError: where a target cannot be filled or belongs to a different call.
        """
        names = recipe.task.binder.names
        given = [dict(zip(names, row, strict=True)) for row in rows]
        calls = [make_call(recipe, arguments, current_flow_name) for arguments in given]
        for call, arguments, finished in zip(calls, given, are_finished(calls), strict=True):
            yield cls(recipe, call, arguments, finished)

    @property
    def task(self) -> Task[..., Any]:
        """The task that is called."""
        return self._task

    @property
    def name(self) -> str:
        """The name of the task."""
        return self._task.name

    @property
    def skips(self) -> bool:
        """Whether what need not run goes past Prefect."""
        return self._recipe.mode.skips

    def ready(self) -> tuple[PrefectTask[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return the task that Prefect is to run, and the arguments to call it with."""
        task = prefect_task(self._task).named(self._run_name())
        if self._needs_step():
            task = task.for_call(self._call, is_finished=self.is_finished)
        else:
            task = task.watched(self._recipe.options)
        return task, *self._task.binder.unbind(for_prefect(self._arguments))

    def deferred(self) -> tuple[PrefectTask[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return what `ready` does, for a worker that serves the task."""
        task, run_name = prefect_task(self._task), self._run_name()
        args, kwargs = self._task.binder.unbind(for_prefect(self._arguments))
        call = self._call.for_task(None) if self._needs_step() else None
        if call is None and run_name is None and (args or kwargs):
            return task.copy(), args, kwargs
        # A worker does not run what a served task was sent without any arguments.
        delayed = Delayed(call, run_name, uuid4().hex)
        return task.served(), args, {**kwargs, "prefectx_call": delayed}

    def _needs_step(self) -> bool:
        has_item = self._recipe.keeps or self.item is not None
        return has_item or hold_items(self._arguments)

    def _run_name(self) -> str | None:
        """Return the run's name as a template of Prefect's, None where Prefect makes it."""
        template, fields = self._recipe.run_name, self._call.fields
        if template is None:
            return None
        if not self._recipe.keeps and self._arguments.keys() >= set(template.names()):
            return template.text
        try:
            return template.fill(fields).replace("{", "{{").replace("}", "}}")
        except TargetError as error:
            where = f"task {self._task.name!r}, task_run_name {template.text!r}"
            raise TargetError(f"{where}: {error}") from error


def current_flow_name() -> str | None:
    """Return the name of the flow that runs here, under Prefect or without it."""
    context = FlowRunContext.get()
    return context.flow.name if context is not None and context.flow is not None else flow_name()

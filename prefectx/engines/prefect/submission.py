"""A call on its way to Prefect: what is handed over, or that nothing need be."""

from __future__ import annotations

from typing import Any

from prefect.context import FlowRunContext

from prefectx.call import make_call
from prefectx.engines.prefect.arguments import for_prefect, hold_items
from prefectx.engines.prefect.tasks import PrefectTask, prefect_task
from prefectx.errors import TargetError
from prefectx.item import Item
from prefectx.runtime import flow_name
from prefectx.tasks import Task


class Submission:
    """One call, made ready for Prefect.

    Parameters:
        task: the task that is called.
        args: the arguments of its function.
        kwargs: likewise.

    Attributes:
        item: the output, None where none is kept.
        is_finished: whether the output exists and the function need not run.
        is_skipped: whether the call goes past Prefect for that.

    Raises:
        TargetError: where the target cannot be filled or belongs to a different call.
        TypeError: where the arguments do not fit the function.
    """

    __slots__ = ("_arguments", "_call", "_recipe", "_task", "is_finished", "is_skipped", "item")

    def __init__(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._task = task
        self._recipe = task.recipe()
        self._arguments = task.binder.bind(args, kwargs)
        self._call = make_call(self._recipe, self._arguments, current_flow_name)
        self.item: Item | None = self._call.item
        self.is_finished = self._call.is_finished
        self.is_skipped = self.skips and self.is_finished

    @property
    def skips(self) -> bool:
        """Whether what need not run goes past Prefect."""
        return self._recipe.mode.skips

    def ready(self) -> tuple[PrefectTask[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return the task that Prefect is to run, and the arguments to call it with."""
        task = prefect_task(self._task).named(self._run_name())
        if self._recipe.mode.keeps or hold_items(self._arguments):
            task = task.for_call(self._call, is_finished=self.is_finished)
        return task, *self._task.binder.unbind(for_prefect(self._arguments))

    def deferred(self) -> tuple[PrefectTask[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Return what `ready` does, for a worker that serves the task."""
        task = prefect_task(self._task).named(self._run_name())
        args, kwargs = self._task.binder.unbind(for_prefect(self._arguments))
        if not self._recipe.mode.keeps and not hold_items(self._arguments):
            return task, args, kwargs
        return task.served(), args, {**kwargs, "prefectx_call": self._call}

    def _run_name(self) -> str | None:
        """Return the run's name as a template of Prefect's, None where Prefect makes it."""
        template, fields = self._recipe.run_name, self._call.fields
        if template is None or fields is None:
            return None
        if not self._recipe.mode.keeps and self._arguments.keys() >= set(template.names()):
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

"""Tasks whose calls may be left to a worker."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ParamSpec, TypeVar, cast

from prefectx.calls import ResolvedTask, dispatch
from prefectx.futures import Future
from prefectx.tasks.decorated import Decorated

P = ParamSpec("P")
R = TypeVar("R")


class Deferrable(Decorated[P, R]):
    """A decorated function whose calls may be left to a worker."""

    @abstractmethod
    def resolved(self) -> ResolvedTask:
        """Return the task's options, templates and store under the settings in force."""

    def delay(self, *args: Any, **kwargs: Any) -> Future[R]:
        """Leave a call to a worker that serves the task; without Prefect, run it at once."""
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: tuple[object, ...] | None = None,
        kwargs: dict[str, object] | None = None,
        wait_for: object = None,
    ) -> Future[R]:
        """Do what `delay` does, with the arguments given as a tuple and a dictionary."""
        args = (*self.owner, *(args or ()))
        return cast(Future[R], dispatch.delay(self.resolved(), args, dict(kwargs or {}), wait_for))

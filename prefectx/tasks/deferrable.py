"""Tasks whose calls may be left to a worker."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
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
        dependencies: Mapping[str, object] | None = None,
    ) -> Future[R]:
        """Do what `delay` does, with the arguments given as a tuple and a dictionary.

        Parameters:
            args: the arguments by position.
            kwargs: the arguments by name.
            wait_for: futures to wait for first.
            dependencies: further inputs by name, for Prefect's graph: sets of Prefect's `RunInput`.
        """
        args, kwargs = (*self.owner, *(args or ())), dict(kwargs or {})
        inputs = dict(dependencies or {})
        made = dispatch.delay(self.resolved(), args, kwargs, wait_for, inputs)
        return cast(Future[R], made)

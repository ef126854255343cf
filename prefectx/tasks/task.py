"""@task: a plain function that the configuration makes a bare, a cached or a Prefect call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Self, TypeVar, Unpack, cast, overload

from prefectx import settings
from prefectx.arguments.marks import unmapped
from prefectx.arguments.signature import Signature
from prefectx.calls import ResolvedTask, dispatch
from prefectx.engines.registry import ENGINES
from prefectx.futures import Future, FutureList
from prefectx.modes import get_mode
from prefectx.monitoring.failures import tell
from prefectx.tasks.decorated import function_name
from prefectx.tasks.deferrable import Deferrable
from prefectx.tasks.keywords import TaskKeywords, checked_keywords, split_keywords
from prefectx.tasks.state_hooks import HookedTask

P = ParamSpec("P")
R = TypeVar("R")


class Task(HookedTask, Deferrable[P, R]):
    """A decorated function; in the Prefect modes it is a `prefect.Task` as well.

    Parameters:
        fn: the function, also a class method or a static method.
        keywords: the keywords of prefectx that the decorator was given.
        prefect_keywords: those of Prefect.
    """

    _derived = (*Deferrable._derived, "_resolved", "signature")
    _resolved: ResolvedTask | None = None

    def __init__(
        self,
        fn: Callable[P, R],
        keywords: Mapping[str, object] | None = None,
        prefect_keywords: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(fn, prefect_keywords)
        self.keywords = keywords or {}
        self.name = str(self.prefect_keywords.get("name") or self.__name__)

    @functools.cached_property
    def signature(self) -> Signature:
        """What binds arguments to the function's parameters."""
        return Signature(self.fn) if self._unbound is None else self._unbound.signature

    @property
    def hidden_arguments(self) -> frozenset[str]:
        """The arguments that a default name does not show: `self`, `*args`, `**kwargs`."""
        return self.signature.variadic.union(self.signature.names[: self.bound_arguments])

    def resolved(self) -> ResolvedTask:
        """Return the task's options, templates and store under the settings in force."""
        state, unbound = settings.STATE, self._unbound
        current = state.here.get() or state.everywhere or state.project or settings.current()
        if self._resolved is None or self._resolved.settings is not current:
            self._resolved = ResolvedTask(self, current) if unbound is None else unbound.resolved()
        return self._resolved

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the task and return what its mode says: data, or the item of the output.

        Takes `return_state` (return the state of the call) and `wait_for` (futures) besides.
        """
        resolved, state = self._resolved, settings.STATE
        # settings.current(), without the cost of a function call.
        current = state.here.get() or state.everywhere or state.project
        if resolved is None or resolved.settings is not current:
            resolved = self.resolved()
        try:
            result: R = dispatch.call(resolved, self.owner + args if self.owner else args, kwargs)
        except Exception as error:
            tell(error, self, self.owner + args, kwargs)
            raise
        return result

    def submit(self, *args: Any, **kwargs: Any) -> Future[R]:
        """Hand a call to the flow's runner and return its future; takes what a call takes.

        The future holds the result or the failure, and from now on the item of the output.
        """
        return cast(Future[R], dispatch.submit(self.resolved(), self.owner + args, kwargs))

    def map(self, *args: Any, **kwargs: Any) -> FutureList[R]:
        """Submit one call for each element of the arguments that can be gone through.

        What cannot be gone through, and what is marked `unmapped`, is the same for every call.
        """
        args = (*map(unmapped, self.owner), *args)
        return cast(FutureList[R], dispatch.map(self.resolved(), args, kwargs))

    def with_options(self, **options: Unpack[TaskKeywords]) -> Self:
        """Return a copy of the task with other options, prefectx's or Prefect's.

        Raises:
            TypeError: if an option is neither's.
        """
        return self._replace(*split_keywords(options, self.name, settings.place_of_caller()))

    def _replace(self, own: dict[str, object], prefect: dict[str, object]) -> Self:
        copy = self.copy()
        copy.keywords = settings.Keywords.at(getattr(own, "place", None), {**self.keywords, **own})
        copy.prefect_keywords = {**self.prefect_keywords, **prefect}
        copy.name = str(prefect.get("name") or self.name)
        return copy


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    fn: None = None, /, **keywords: Unpack[TaskKeywords]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Callable[..., Any] | None = None, /, **keywords: Any) -> Any:
    """Make a task of a function; used as `@task` or `@task(target=..., retries=2, ...)`.

    Parameters:
        fn: a function or method of any kind, a `functools.partial` or a callable object.
        **keywords: options of prefectx (`target`, `store`, `format`, `save`, `refresh`, ...; see
            the configuration) and those of Prefect's own decorator (`retries`, `tags`, ...).

    Returns:
        A `Task`, which in a Prefect mode is a `prefect.Task` as well.

    Raises:
        TypeError: if a keyword is neither's.
        ConfigError: if the configuration is wrong.
    """
    if fn is None:
        return functools.partial(task, **keywords)
    own, prefect, mode = checked_keywords(keywords, function_name(fn), settings.place_of(fn))
    return ENGINES[get_mode(mode).engine].make_task(fn, own, prefect)

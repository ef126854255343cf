"""@task: a plain function that the configuration makes a bare, a cached or a Prefect call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Self, TypeVar, overload

from prefectx import settings
from prefectx.arguments.marks import unmapped
from prefectx.arguments.signature import Binder
from prefectx.calls.resolved_task import Recipe
from prefectx.modes import get_mode, load_engine
from prefectx.tasks.decorated import Decorated
from prefectx.tasks.keywords import split_keywords
from prefectx.tasks.state_hooks import HookedTask

P = ParamSpec("P")
R = TypeVar("R")


class Task(HookedTask, Decorated[P, R]):
    """A decorated function; in the Prefect modes it is a `prefect.Task` as well.

    Parameters:
        fn: the function, also a class method or a static method.
        keywords: the keywords of prefectx that the decorator was given.
        prefect_keywords: those of Prefect; they mean something only where Prefect runs.

    Attributes:
        name: the name of the task; its section in the configuration is `[tasks.NAME]`.
        binder: binds arguments to the function's parameters.
    """

    _derived = ("_twin", "_recipe", "_method", "_unbound", "binder")
    _recipe: Recipe | None = None
    # A method is bound anew for each call: what is dear is made once, for the methods of all
    # objects, by `_method`, which is `_unbound` of each.
    _method: Self | None = None
    _unbound: Self | None = None
    _hidden = 0

    def __init__(
        self,
        fn: Callable[P, R],
        keywords: Mapping[str, Any] | None = None,
        prefect_keywords: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(fn, prefect_keywords)
        self.keywords = dict(keywords or {})
        self.name = self.prefect_keywords.get("name") or self.fn.__name__

    @functools.cached_property
    def binder(self) -> Binder:
        """What binds arguments to the function's parameters."""
        return Binder(self.fn) if self._unbound is None else self._unbound.binder

    @property
    def hidden_arguments(self) -> frozenset[str]:
        """The arguments that are not shown in an automatic base: `self`, `*args`, `**kwargs`."""
        bound = self.binder.names[: self._hidden or len(self.owner)]
        return self.binder.variadic.union(bound)

    def __get__(self, instance: Any, owner: type | None = None) -> Self:
        bound = super().__get__(instance, owner)
        if bound is not self:
            if self._method is None:
                self._method = self.copy()
                self._method._hidden = 1
            bound._unbound = self._method
        return bound

    def recipe(self) -> Recipe:
        """Return what the task's options come to under the settings in force."""
        current = settings.current()
        recipe = self._recipe
        if recipe is None or recipe.settings is not current:
            unbound = self._unbound
            recipe = self._recipe = Recipe(self, current) if unbound is None else unbound.recipe()
        return recipe

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the task and return what its mode says: data, or the item of the output.

        Besides the function's arguments it takes `return_state` (return the state of the call in
        place of its result) and `wait_for` (futures to wait for first).
        """
        recipe = self._recipe
        if recipe is None or recipe.settings is not settings.current():
            recipe = self.recipe()
        result: R = recipe.engine.call(recipe, self.owner + args if self.owner else args, kwargs)
        return result

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Hand a call to the flow's runner and return its future at once.

        The future holds the result or the failure (`.result()`, `.state`), and from now on the
        item of the output (`.item`). Takes what a call takes.
        """
        recipe = self.recipe()
        return recipe.engine.submit(recipe, self.owner + args, kwargs)

    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Submit one call for each element of the arguments that can be gone through.

        Parameters:
            *args: iterables of one length; what cannot be gone through, and what is marked
                `unmapped`, is the same for every call.
            **kwargs: likewise.

        Returns:
            A list of futures with `result()` and `wait()`.
        """
        recipe = self.recipe()
        return recipe.engine.map(recipe, (*map(unmapped, self.owner), *args), kwargs)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Leave a call to a worker that serves the task; where no Prefect runs it, run it at once.

        Returns:
            The future of the call, with the item of its output (`.item`).
        """
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        wait_for: Any = None,
    ) -> Any:
        """Do what `delay` does, with the arguments given as a tuple and a dictionary.

        Parameters:
            args: the arguments.
            kwargs: likewise.
            wait_for: futures to wait for first.
        """
        recipe = self.recipe()
        return recipe.engine.delay(
            recipe, (*self.owner, *(args or ())), dict(kwargs or {}), wait_for
        )

    def with_options(self, **options: Any) -> Self:
        """Return a copy of the task with other options, prefectx's or Prefect's.

        Raises:
            TypeError: where an option is neither's.
        """
        own, prefect = split_keywords(options, self.name)
        return self._replace(own, prefect)

    def _replace(self, own: dict[str, Any], prefect: dict[str, Any]) -> Self:
        copy = self.copy()
        copy.keywords = {**self.keywords, **own}
        copy.prefect_keywords = {**self.prefect_keywords, **prefect}
        copy.name = prefect.get("name") or self.name
        return copy


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(fn: None = None, /, **keywords: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(fn: Callable[..., Any] | None = None, /, **keywords: Any) -> Any:
    """Make a task of a function; used as `@task` or `@task(target=..., retries=2, ...)`.

    Parameters:
        fn: the function: plain, async, a generator, a class method or a static method.
        **keywords: options of prefectx (`target`, `store`, `format`, `save`, `refresh`, ...; see
            the configuration) and those of Prefect's own decorator (`retries`, `tags`, ...).

    Returns:
        A `Task`, which in a Prefect mode is a `prefect.Task` as well.

    Raises:
        TypeError: where a keyword is neither's.
        ConfigError: where the configuration is wrong.
    """
    if fn is None:
        return functools.partial(task, **keywords)
    function = getattr(fn, "__func__", fn)
    own, prefect = split_keywords(keywords, function.__name__)
    name = prefect.get("name") or function.__name__
    mode = get_mode(settings.current().options(name, own).mode)
    return load_engine(mode).make_task(fn, own, prefect)

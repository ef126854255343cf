"""@flow: a function that calls tasks; in the Prefect modes it is a `prefect.Flow` as well."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Self, TypeVar, Unpack, cast, overload

from prefectx import settings
from prefectx.engines.protocol import Engine
from prefectx.engines.registry import ENGINES
from prefectx.errors import ConfigError
from prefectx.modes import get_mode
from prefectx.monitoring.failures import trim
from prefectx.monitoring.summary import RunSummary
from prefectx.tasks.decorated import Decorated
from prefectx.tasks.keywords import PREFECT_FLOW, FlowKeywords, check_keywords
from prefectx.tasks.state_hooks import HookedFlow

P = ParamSpec("P")
R = TypeVar("R")


class Flow(HookedFlow, Decorated[P, R]):
    """A decorated function; in the Prefect modes it is a `prefect.Flow` as well.

    Parameters:
        fn: the function, also a class method or a static method.
        prefect_keywords: the keywords of Prefect's decorator.

    Attributes:
        name: the name of the flow, by default the function's name with `-` instead of `_`.
        last_run: the counts of the latest run, by task; None before the first.
    """

    last_run: RunSummary | None = None

    _derived = (*Decorated._derived, "last_run")

    def __init__(
        self, fn: Callable[P, R], prefect_keywords: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(fn, prefect_keywords)
        self.name = str(self.prefect_keywords.get("name") or self.__name__.replace("_", "-"))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the flow: as a plain function, or as Prefect's flow in the Prefect modes.

        If the function returns a future, the result of the future is returned, in every mode.
        """
        try:
            return cast(R, project_engine().run_flow(self, (*self.owner, *args), kwargs))
        except Exception as error:
            trim(error)
            raise

    def with_options(self, **options: Unpack[FlowKeywords]) -> Self:
        """Return a copy of the flow with other options of Prefect.

        Raises:
            TypeError: if there is no such option.
        """
        place = settings.place_of_caller()
        check_keywords(options, PREFECT_FLOW, f"flow {self.name!r}", place)
        return self._replace(dict(options))

    def _replace(self, prefect: dict[str, object]) -> Self:
        copy = self.copy()
        copy.prefect_keywords = {**self.prefect_keywords, **prefect}
        copy.name = str(prefect.get("name") or self.name)
        return copy


class FlowDecorator:
    """The decorator `@flow`, also as `@flow(name=..., log_prints=True, ...)`."""

    @overload
    def __call__(self, fn: Callable[P, R], /) -> Flow[P, R]: ...
    @overload
    def __call__(
        self, fn: None = None, /, **keywords: Unpack[FlowKeywords]
    ) -> Callable[[Callable[P, R]], Flow[P, R]]: ...
    def __call__(self, fn: Callable[..., object] | None = None, /, **keywords: object) -> object:
        """Make a flow of a function.

        Parameters:
            fn: the function: plain, async, a class method or a static method.
            **keywords: the options of Prefect's decorator.

        Returns:
            A `Flow`, which in a Prefect mode is a `prefect.Flow` as well.

        Raises:
            TypeError: if there is no such keyword.
        """
        if fn is None:
            return functools.partial(cast(Callable[..., object], self), **keywords)
        where = f"flow {getattr(fn, '__name__', fn)!r}"
        try:
            check_keywords(keywords, PREFECT_FLOW, where, settings.place_of(fn))
            engine = project_engine()
        except (TypeError, ConfigError) as error:
            raise error.with_traceback(None) from None  # the frames of prefectx explain nothing
        # The wrong ones are still there if mistakes are collected.
        known = {name: value for name, value in keywords.items() if name in PREFECT_FLOW}
        return engine.make_flow(fn, known)

    def from_source(self, *args: Any, **kwargs: Any) -> Any:
        """Load a flow from a folder, a repository or a bucket, as Prefect's `flow.from_source`.

        Parameters:
            *args: the source and the entrypoint in it, as `"flows.py:pipeline"`.
            **kwargs: the same by name.

        Returns:
            The flow; in a running event loop an awaitable of it.
        """
        return ENGINES[get_mode("prefect").engine].flow_from_source(*args, **kwargs)


flow = FlowDecorator()


def project_engine() -> Engine:
    """Return the engine of the project's mode."""
    return ENGINES[get_mode(settings.current().project.mode).engine]

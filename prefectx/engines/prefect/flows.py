"""A flow that is a `prefect.Flow` as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from prefect import Flow as StockFlow
from prefect.utilities.visualization import get_task_viz_tracker

from prefectx import settings
from prefectx.arguments.references import holds_references
from prefectx.arguments.signature import Signature
from prefectx.arguments.validation import validated
from prefectx.engines.prefect.api import with_api
from prefectx.engines.prefect.runners import Runner, for_run, make_runner
from prefectx.engines.prefect.runs import FlowStep
from prefectx.engines.prefect.watch import is_run_by_runner
from prefectx.engines.protocol import FlowDefinition
from prefectx.tasks.flow import Flow, P, R
from prefectx.tasks.state_hooks import H


class PrefectFlow(Flow[P, R], StockFlow[P, R]):  # type: ignore[misc]  # calls differ by overloads
    """A flow that Prefect, its deployments and its workers treat as one of Prefect's."""

    def __init__(
        self, fn: Callable[P, R], prefect_keywords: Mapping[str, Any] | None = None
    ) -> None:
        StockFlow.__init__(self, fn, **(prefect_keywords or {}))
        Flow.__init__(self, fn, prefect_keywords)
        if is_run_by_runner():
            # There Prefect's engine runs the function without a call of the flow.
            self.fn = FlowStep(self)

    def _hook(self, kind: str, fn: H) -> H:
        getattr(self, f"{kind}_hooks").append(fn)
        return super()._hook(kind, fn)

    deploy = with_api(StockFlow.deploy)
    adeploy = with_api(StockFlow.adeploy)
    to_deployment = with_api(StockFlow.to_deployment)
    ato_deployment = with_api(StockFlow.ato_deployment)

    def __call__(  # type: ignore[override]  # Prefect's differs by overloads
        self, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run the flow; while `visualize` draws it, as a plain Prefect flow."""
        if get_task_viz_tracker() is None:
            return super().__call__(*args, **kwargs)
        return StockFlow.__call__(self, *args, **kwargs)

    def for_run(self) -> Self:
        """Return a copy for one run; its function is counted and watched."""
        copy = self.copy()
        if not isinstance(self.fn, FlowStep):
            copy.fn = FlowStep(self)
        return copy

    def __reduce__(self) -> tuple[object, ...]:
        if isinstance(self.fn, FlowStep) and self.fn.flow is not self:
            return _for_run, (self.fn.flow,)
        return super().__reduce__()

    def serve(self, *args: Any, **kwargs: Any) -> None:
        """Run the flow on request until the process ends, as `prefect.Flow.serve`."""
        # A copy, as Prefect pickles the flow for the process of each run.
        return with_api(StockFlow.serve)(self.for_run(), *args, **kwargs)

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check and convert the parameters by their annotations; items and futures pass."""
        if not holds_references(parameters):
            return super().validate_parameters(parameters)
        function = self.__wrapped__
        return validated(function, Signature(function), parameters)

    @property
    def task_runner(self) -> Runner:
        """The runner given to the decorator, else that of the configuration."""
        if self.prefect_keywords.get("task_runner") is not None:
            return for_run(self._task_runner)
        return for_run(make_runner(settings.current().project))

    @task_runner.setter
    def task_runner(self, runner: Runner) -> None:
        self._task_runner = runner

    def _replace(self, prefect: dict[str, object]) -> Self:
        copy = super()._replace(prefect)
        # Prefect's with_options returns a plain flow; copy what it has made of the options.
        with_options: Callable[..., object] = StockFlow.with_options
        plain = vars(with_options(self, **prefect))
        copy.__dict__ |= {name: plain[name] for name in plain.keys() - _KEPT}
        copy.task_runner = plain["task_runner"]
        return copy

    @classmethod
    def _from_name(cls, module: str, qualname: str) -> Self:
        return cast(Self, prefect_flow(super()._from_name(module, qualname)))


_KEPT = frozenset({"fn", "__wrapped__", "isasync", "isgenerator", "task_runner"})


def _for_run(flow: PrefectFlow[..., object]) -> PrefectFlow[..., object]:
    return flow.for_run()


def prefect_flow(flow: FlowDefinition) -> PrefectFlow[..., object]:
    """Return the flow, or the Prefect flow of a flow decorated in another mode."""
    if isinstance(flow, PrefectFlow):
        return flow
    assert isinstance(flow, Flow)
    twin: PrefectFlow[..., object] | None = flow.__dict__.get("_twin")
    if twin is None:
        fn = flow.kind(flow.fn) if flow.kind else flow.fn
        twin = PrefectFlow(fn, flow.prefect_keywords)
        twin.owner = flow.owner
        flow.__dict__["_twin"] = twin
    return twin

"""A flow that is Prefect's as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from prefect import Flow as StockFlow
from prefect.task_runners import TaskRunner
from prefect.utilities.visualization import get_task_viz_tracker

from prefectx import settings
from prefectx.engines.prefect.api import with_api
from prefectx.engines.prefect.arguments import hold_items
from prefectx.engines.prefect.runners import for_run, make_runner
from prefectx.engines.prefect.runs import FlowStep
from prefectx.engines.prefect.watch import is_run_by_runner
from prefectx.engines.protocol import FlowDefinition
from prefectx.tasks.flow import Flow, P, R
from prefectx.tasks.state_hooks import H


class PrefectFlow(Flow[P, R], StockFlow[P, R]):  # type: ignore[misc]  # calls differ by overloads
    """A flow that Prefect, its deployments and its workers take for one of their own."""

    def __init__(
        self, fn: Callable[P, R], prefect_keywords: Mapping[str, Any] | None = None
    ) -> None:
        StockFlow.__init__(self, fn, **(prefect_keywords or {}))
        Flow.__init__(self, fn, prefect_keywords)
        if is_run_by_runner():
            # There Prefect's engine runs the flow itself, without a call of it.
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
        """Run the flow; while it is drawn, Prefect's own."""
        if get_task_viz_tracker() is None:
            return super().__call__(*args, **kwargs)
        return StockFlow.__call__(self, *args, **kwargs)

    def for_run(self) -> Self:
        """Return a flow for one run: its function is counted and watched."""
        copy = self.copy()
        if not isinstance(self.fn, FlowStep):
            copy.fn = FlowStep(self)
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self.fn, FlowStep) and self.fn.flow is not self:
            return _for_run, (self.fn.flow,)
        return super().__reduce__()

    def serve(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow when it is asked for, until the process is told to end; as Prefect's."""
        # Prefect pickles the flow for the process of each run.
        return with_api(StockFlow.serve)(self.for_run(), *args, **kwargs)

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check and convert the parameters by their annotations; items are left as they are."""
        if hold_items(parameters):
            return parameters
        return super().validate_parameters(parameters)

    @property
    def task_runner(self) -> TaskRunner[Any]:
        """The runner that the decorator names, else the one of the configuration."""
        if self.prefect_keywords.get("task_runner") is not None:
            return for_run(self._task_runner)
        return for_run(make_runner(settings.current().project))

    @task_runner.setter
    def task_runner(self, runner: TaskRunner[Any]) -> None:
        self._task_runner = runner

    def _replace(self, prefect: dict[str, Any]) -> Self:
        copy = super()._replace(prefect)
        # Prefect's with_options returns a plain flow: what it made of the options is taken over.
        plain = vars(StockFlow.with_options(self, **prefect))
        copy.__dict__ |= {name: plain[name] for name in plain.keys() - _KEPT}
        copy.task_runner = plain["task_runner"]
        return copy

    @classmethod
    def _from_name(cls, module: str, qualname: str) -> Any:
        return prefect_flow(super()._from_name(module, qualname))


_KEPT = frozenset({"fn", "__wrapped__", "isasync", "isgenerator", "task_runner"})


def _for_run(flow: PrefectFlow[..., Any]) -> PrefectFlow[..., Any]:
    return flow.for_run()


def prefect_flow(flow: FlowDefinition) -> PrefectFlow[..., Any]:
    """Return the flow itself, or its Prefect twin if it was decorated in another mode."""
    if isinstance(flow, PrefectFlow):
        return flow
    assert isinstance(flow, Flow)
    twin: PrefectFlow[..., Any] | None = flow.__dict__.get("_twin")
    if twin is None:
        fn = flow.kind(flow.fn) if flow.kind else flow.fn
        twin = PrefectFlow(fn, flow.prefect_keywords)
        twin.owner = flow.owner
        flow.__dict__["_twin"] = twin
    return twin

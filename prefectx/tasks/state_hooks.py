"""State hooks of tasks and flows. Their methods add hooks; Prefect calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

H = TypeVar("H", bound=Callable[..., object])


class Hooked:
    """Adds state hooks by decorators, as in Prefect.

    Attributes:
        prefect_keywords: the keywords of Prefect's decorator, including the hooks.
    """

    prefect_keywords: dict[str, object]

    def on_completion(self, fn: H) -> H:
        """Call `fn(task_or_flow, run, state)` when a run is completed."""
        return self._hook("on_completion", fn)

    def on_failure(self, fn: H) -> H:
        """Call `fn(task_or_flow, run, state)` when a run has failed."""
        return self._hook("on_failure", fn)

    def on_running(self, fn: H) -> H:
        """Call `fn(task_or_flow, run, state)` when a run begins."""
        return self._hook("on_running", fn)

    def _hook(self, kind: str, fn: H) -> H:
        present = cast(Iterable[object], self.prefect_keywords.get(kind) or ())
        hooks = [*present, fn]
        self.prefect_keywords = {**self.prefect_keywords, kind: hooks}
        for made in ("_twin", "_method"):
            self.__dict__.pop(made, None)
        return fn


class HookedTask(Hooked):
    """The hooks of a task, including those of transactions."""

    def on_commit(self, fn: H) -> H:
        """Call `fn(transaction)` when the transaction of a run is committed."""
        return self._hook("on_commit", fn)

    def on_rollback(self, fn: H) -> H:
        """Call `fn(transaction)` when the transaction of a run is rolled back."""
        return self._hook("on_rollback", fn)


class HookedFlow(Hooked):
    """The hooks of a flow, including those for runs that are cancelled or crash."""

    def on_cancellation(self, fn: H) -> H:
        """Call `fn(flow, run, state)` when a run is cancelled."""
        return self._hook("on_cancellation", fn)

    def on_crashed(self, fn: H) -> H:
        """Call `fn(flow, run, state)` when a run has crashed."""
        return self._hook("on_crashed", fn)

"""State hooks, added to a task or a flow by its methods; Prefect calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

H = TypeVar("H", bound=Callable[..., Any])


class Hooked:
    """What has state hooks: the methods are decorators, as in Prefect.

    Attributes:
        prefect_keywords: the keywords for Prefect's decorator, the hooks among them.
    """

    prefect_keywords: dict[str, Any]

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
        hooks = [*(self.prefect_keywords.get(kind) or ()), fn]
        self.prefect_keywords = {**self.prefect_keywords, kind: hooks}
        for made in ("_twin", "_method"):
            self.__dict__.pop(made, None)
        return fn


class HookedTask(Hooked):
    """A task's hooks: those of transactions too."""

    def on_commit(self, fn: H) -> H:
        """Call `fn(transaction)` when the transaction of a run is committed."""
        return self._hook("on_commit", fn)

    def on_rollback(self, fn: H) -> H:
        """Call `fn(transaction)` when the transaction of a run is rolled back."""
        return self._hook("on_rollback", fn)


class HookedFlow(Hooked):
    """A flow's hooks: those of its end by others too."""

    def on_cancellation(self, fn: H) -> H:
        """Call `fn(flow, run, state)` when a run is cancelled."""
        return self._hook("on_cancellation", fn)

    def on_crashed(self, fn: H) -> H:
        """Call `fn(flow, run, state)` when a run has crashed."""
        return self._hook("on_crashed", fn)

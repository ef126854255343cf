"""Makes the task runner of a flow from `[runner]` in the configuration."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from prefect.context import SettingsContext, get_settings_context
from prefect.settings import Profile, Settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from prefectx.engines.prefect import logs
from prefectx.engines.prefect.inline import InlineTaskRunner

if TYPE_CHECKING:
    from prefectx.settings import Options

Runner = TaskRunner[Any]  # invariant: each runner has another kind of future


def for_run(runner: Runner) -> Runner:
    """Prepare a runner for a flow run that starts now.

    Parameters:
        runner: the runner, the user's or ours.
    """
    if isinstance(runner, ProcessPoolTaskRunner):
        # A thread of Prefect passes on the reports of the pool. It would have the settings of the
        # program instead of those of the run, and so perhaps another API.
        here = get_settings_context()
        enter: Any = functools.partial(_enter_settings, here.profile, here.settings)
        others = [
            factory
            for factory in runner.subprocess_message_processor_factories
            if getattr(factory, "func", None) is not _enter_settings
        ]
        # A runner that the user has started cannot be changed.
        with suppress(RuntimeError):
            runner.subprocess_message_processor_factories = (enter, *others)
    return runner


def _enter_settings(
    profile: Profile, settings: Settings
) -> Callable[[str, object], tuple[str, object]]:
    SettingsContext(profile=profile, settings=settings).__enter__()
    return lambda kind, payload: (kind, payload)


def make_runner(options: Options) -> Runner:
    """Make the runner that the options name; it is not started.

    Parameters:
        options: the project's options.
    """
    if options.runner.type == "inline":
        return InlineTaskRunner()
    if options.runner.type == "processes":
        # For calls of the mode `prefect`; those of the other modes set up logging themselves.
        return ProcessPoolTaskRunner(
            max_workers=options.runner.max_workers, initializer=logs.set_up, initargs=(options,)
        )
    if options.runner.type == "dask":
        module = importlib.import_module("prefectx.engines.prefect_dask")
        return cast(Runner, module.make_runner())
    return ThreadPoolTaskRunner(max_workers=options.runner.max_workers)

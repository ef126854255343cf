"""The task runner of a flow, from `[runner]` in the configuration."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prefect.context import SettingsContext, get_settings_context
from prefect.settings import Profile, Settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from prefectx.engines.prefect import logs

if TYPE_CHECKING:
    from prefectx.settings import Options


def for_run(runner: TaskRunner[Any]) -> TaskRunner[Any]:
    """Make a runner ready for the run of a flow that begins here.

    Parameters:
        runner: the user's or ours.
    """
    if isinstance(runner, ProcessPoolTaskRunner):
        # Prefect hands on from a thread of its own what the pool reports; there only the settings
        # that the program was started with would hold, and another API.
        here = get_settings_context()
        enter: Any = functools.partial(_enter_settings, here.profile, here.settings)
        others = [
            factory
            for factory in runner.subprocess_message_processor_factories
            if getattr(factory, "func", None) is not _enter_settings
        ]
        # One that its user has started cannot be changed any more.
        with suppress(RuntimeError):
            runner.subprocess_message_processor_factories = (enter, *others)
    return runner


def _enter_settings(
    profile: Profile, settings: Settings
) -> Callable[[str, object], tuple[str, object]]:
    SettingsContext(profile=profile, settings=settings).__enter__()
    return lambda kind, payload: (kind, payload)


def make_runner(options: Options) -> TaskRunner[Any]:
    """Make the runner that the options name; nothing is started yet.

    Parameters:
        options: the project's options.
    """
    if options.runner.type == "processes":
        # A call sets up the logging of its worker itself, but for those of the mode `prefect`.
        return ProcessPoolTaskRunner(
            max_workers=options.runner.max_workers, initializer=logs.set_up, initargs=(options,)
        )
    if options.runner.type == "dask":
        runner: TaskRunner[Any] = importlib.import_module(
            "prefectx.engines.prefect_dask"
        ).make_runner()
        return runner
    return ThreadPoolTaskRunner(max_workers=options.runner.max_workers)

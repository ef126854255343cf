"""Runs one recorded call again in this process, without an engine, writing nothing."""

from __future__ import annotations

import ast
import asyncio
import inspect
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from prefectx import settings
from prefectx.arguments.references import load_items
from prefectx.errors import PrefectxError
from prefectx.inspection.output import Output
from prefectx.inspection.project import Project
from prefectx.inspection.staleness import inputs_of
from prefectx.records import Failure, Record, Records, recorded_arguments
from prefectx.run_context import use_values
from prefectx.tasks.task import Task


class Replayed(NamedTuple):
    """A call that can be run again.

    Attributes:
        task: its task.
        arguments: its arguments by name, with the items among them.
        context: the values that were set at run time.
        location: where its output is or would be, empty if it keeps none.
    """

    task: Task[..., Any]
    arguments: Mapping[str, object]
    context: Mapping[str, object]
    location: str

    def run(self) -> object:
        """Run the function with its inputs loaded; nothing is written, and tasks in it just run.

        Raises:
            Exception: what the function raises.
        """
        signature = self.task.signature
        with (
            tempfile.TemporaryDirectory(prefix="prefectx-replay-") as folder,
            settings.override(mode="function", root=folder),
            use_values(self.context),
        ):
            given = load_items(dict(self.arguments), signature.wants_items)
            args, kwargs = signature.unbind(given)
            result = self.task.fn(*args, **kwargs)
            if inspect.isawaitable(result):
                return asyncio.run(_awaited(result))
            if inspect.isasyncgen(result):
                return asyncio.run(_listed(result))
            return list(result) if inspect.isgenerator(result) else result


async def _awaited(result: Any) -> object:
    return await result


async def _listed(result: Any) -> list[object]:
    return [part async for part in result]


def replay_of(project: Project, text: str) -> Replayed:
    """Return the call with an output, or the latest failed one of a task, ready to run again.

    Parameters:
        project: the project.
        text: a location as people have it, or the name of a task.

    Raises:
        NoOutputError: nothing is known of it.
        PrefectxError: its function or its arguments are not there any more.
    """
    for failure, records in project.failures():
        places = {failure.failed, project.shown(f"{records.folder}/{failure.failed}")}
        if failure.task == text or (failure.failed and text.rstrip("/") in places):
            return failed_call(project, failure, records)
    wanted = {str(Path(text).absolute()), f"{project.root.rstrip('/')}/{text}"}
    for failure, records in project.failures():
        if failure.failed and project.item_of(failure.failed, records.folder).location in wanted:
            return failed_call(project, failure, records)
    return _made_call(project.named(text)[0])


def failed_call(project: Project, failure: Failure, records: Records) -> Replayed:
    """Return a call that failed, ready to run again.

    Raises:
        PrefectxError: its function or its arguments are not there any more.
    """
    where = failure.failed or failure.task
    task = _task(project, failure.function, failure.task, failure.file)
    if not failure.kept:
        raise PrefectxError(
            f"{where} cannot be replayed: its arguments are not kept"
            f" ({failure.reason or 'unknown'}); call {failure.function} by hand"
        )
    try:
        arguments, context = pickle.loads(records.kept.arguments(failure.kept))
    except Exception as error:
        raise PrefectxError(
            f"{where} cannot be replayed: its arguments cannot be read ({error})"
        ) from error
    return Replayed(task, arguments, context, failure.failed)


def _task(project: Project, function: str, name: str, file: str | None) -> Task[..., Any]:
    task = project.tasks.find(function, name, file)
    if task is None:
        problems = project.tasks.problems
        module = function.partition(":")[0]
        reason = problems.get(module, "it cannot be found")
        raise PrefectxError(
            f"the task {name!r} of {function} {reason}; run this where its program runs"
        )
    return task


def _made_call(output: Output) -> Replayed:
    """Return a call that was made, with its arguments read back from its record."""
    task = _task(output.project, output.record.function, output.task, None)
    record, inputs = output.record, inputs_of(output)
    folders = task.resolved().folders
    found: dict[str, object] = {}
    for name in task.signature.names:
        if name in record.arguments:
            found[name] = _value(name, record, inputs.get(name), folders, output)
    return Replayed(task, found, {}, output.location)


def _value(
    name: str, record: Record, items: object, folders: tuple[str, ...], output: Output
) -> object:
    argument = record.arguments[name]
    candidates: list[object] = []
    if isinstance(items, list):
        candidates = [items[0], items, tuple(items)] if len(items) == 1 else [items, tuple(items)]
    elif isinstance(argument, str):
        candidates = [_literal(argument, output)]
    elif argument is not None and argument[0] == "plain":
        candidates = [_literal(str(argument[2]), output)]
    for candidate in candidates:
        if recorded_arguments({name: candidate}, folders).get(name) == argument:
            return candidate
    raise PrefectxError(
        f"{output.location} cannot be replayed: its argument {name!r} is not kept, as only failed"
        " calls keep theirs; call the function by hand"
    )


def _literal(text: str, output: Output) -> object:
    if text.startswith("Path("):
        place, relative = ast.literal_eval(text.removeprefix("Path"))
        folder = {"folder 0": output.records.folder}.get(place, str(settings.current().folder))
        return Path(folder, relative) if place.startswith("folder") else Path(relative)
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None

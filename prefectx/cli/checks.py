"""Whether a configuration fits the tasks that it is for."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from prefectx import settings
from prefectx.calls.resolved_task import ResolvedTask, TaskDefinition
from prefectx.cli.loading import AnyTask, load_tasks, names_in_contexts
from prefectx.errors import PrefectxError
from prefectx.settings import Settings
from prefectx.settings.layers import variable_name
from prefectx.settings.origins import Place, display
from prefectx.settings.problems import Problem, dotted
from prefectx.settings.spelling import did_you_mean, show
from prefectx.stores import make_store
from prefectx.targets.fields import Fields
from prefectx.targets.template import Template


def check_files(files: Sequence[Path], found: Settings) -> list[Problem]:
    """Compare settings with the tasks in Python files.

    Parameters:
        files: paths of Python files; they are imported.
        found: the settings.

    Returns:
        What does not fit.
    """
    problems: list[Problem] = []
    with settings.use(found):
        tasks = load_tasks(files, problems)
        if not problems:  # a file that cannot be imported has tasks that nobody knows
            problems.extend(_sections_without_task(found, [task.name for task in tasks]))
        resolved_tasks = [resolved for task in tasks if (resolved := _resolved(task, problems))]
        problems.extend(_stores_not_there(found))
        known = names_in_contexts(files)
        for resolved in resolved_tasks:
            problems.extend(_fields_not_there(resolved, known))
        problems.extend(_collisions(resolved_tasks))
    return problems


def _resolved(task: AnyTask, problems: list[Problem]) -> ResolvedTask | None:
    """Make a task's options ready; its store and its formats are imported by that."""
    try:
        with settings.override(mode="cache"):
            return ResolvedTask(task, settings.current())
    except PrefectxError as error:
        problems.extend(getattr(error, "problems", ()) or [_of(task, "", str(error))])
        return None


def _of(task: TaskDefinition, key: str, message: str) -> Problem:
    code = inspect.unwrap(task.fn).__code__
    place = Place(f"{display(Path(code.co_filename))}:{code.co_firstlineno}")
    return Problem(place, f"{task.name}{key and '.' + key}", message)


def _sections_without_task(found: Settings, names: Sequence[str]) -> Iterator[Problem]:
    for part in (found.in_file, found.in_profile, found.in_environment):
        known = [variable_name(name) if part.by_variable else name for name in names]
        for pattern, layer in part.tasks.items():
            if not any(name == pattern or fnmatchcase(name, pattern) for name in known):
                place = layer.origin.place(layer.path, key=True)
                message = f"no task has this name{did_you_mean(pattern, known)}"
                yield Problem(place, dotted(("tasks", pattern)), message)


def _stores_not_there(found: Settings) -> Iterator[Problem]:
    for name in found.stores:
        try:
            make_store(name, found.stores)
        except PrefectxError as error:
            part = next(p for p in (found.in_file, found.in_profile) if name in p.stores)
            layer = part.everywhere
            place = layer.origin.place((*layer.path, "stores", name), key=True)
            yield Problem(place, f"stores.{name}", str(error))


def _fields_not_there(resolved: ResolvedTask, known: set[str]) -> Iterator[Problem]:
    """Yield a problem for each field of the task's templates that nothing provides."""
    signature = resolved.task.signature
    if signature.keywords:
        return
    arguments = dict.fromkeys(signature.names)
    names = Fields(resolved.fields, arguments, lambda: "flow").names() | known
    for key, template in (("target", resolved.target), ("task_run_name", resolved.run_name)):
        for field in template.names() if template else ():
            if field not in names:
                message = (
                    f"nothing provides {{{field}}} of {show(template and template.text)}"
                    f"{did_you_mean(field, names)} (an argument, [context] or prefectx.context())"
                )
                yield _of(resolved.task, key, message)


def _collisions(resolved_tasks: Iterable[ResolvedTask]) -> Iterator[Problem]:
    """Yield a problem for each task whose template fills like that of an earlier one."""
    seen: dict[tuple[object, ...], ResolvedTask] = {}
    for resolved in resolved_tasks:
        if resolved.target is None or resolved.options.shared:
            continue
        place = (resolved.store, resolved.options.root, _as_filled(resolved.target, resolved.task))
        other = seen.setdefault(place, resolved)
        if other is not resolved:
            message = (
                f"has the same target as {other.task.name}: {show(resolved.target.text)}; "
                "put {funcname} into it, or set shared = true"
            )
            yield _of(resolved.task, "target", message)


def _as_filled(template: Template, task: TaskDefinition) -> str:
    own = {"{funcname}": task.fn.__name__, "{name}": task.name, "{module}": task.fn.__module__}
    text = template.text
    for field, value in own.items():
        text = text.replace(field, value)
    return text

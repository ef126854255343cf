"""Checks that a configuration fits its tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from prefectx import settings
from prefectx.calls import ResolvedTask, TaskDefinition
from prefectx.errors import ConfigError, PrefectxError
from prefectx.inspection.loading import AnyTask, loaded
from prefectx.monitoring.logging import check_config
from prefectx.settings import Place, Problem, Settings, did_you_mean, show
from prefectx.stores import make_store
from prefectx.targets.fields import Fields
from prefectx.targets.template import Template


def check_files(files: Sequence[Path], found: Settings) -> list[Problem]:
    """Compare settings with the tasks in Python files.

    Parameters:
        files: paths of Python files, which are imported; may be none.
        found: the settings.

    Returns:
        The mistakes.
    """
    problems: list[Problem] = []
    with settings.use(found), loaded(files, problems) as program:
        if files and all(file.is_file() for file in files):  # others may have more tasks
            problems.extend(found.sections_without_task(sorted(program.names)))
        wrong_stores = (_store_problem(name, found, files) for name in found.stores)
        problems.extend(problem for problem in wrong_stores if problem)
        problems.extend(_logging_problem(found))
        told = {problem.message for problem in problems}
        resolved_tasks = [
            resolved for task in program.tasks if (resolved := _resolved(task, problems, told))
        ]
        for resolved in resolved_tasks:
            problems.extend(_unknown_fields(resolved, program.fields))
        problems.extend(_collisions(resolved_tasks))
    return problems


def _store_problem(name: str, found: Settings, files: Sequence[Path]) -> Problem | None:
    """Try to make a store; without files only one of prefectx: others may lie beside the files."""
    if not files and not found.stores[name].cls.startswith("prefectx."):
        return None
    try:
        make_store(name, found.stores)
    except PrefectxError as error:
        return found.store_problem(name, str(error))
    return None


def _logging_problem(found: Settings) -> Iterator[Problem]:
    """Yield a problem if the file that sets up logging cannot be used."""
    path = found.project.logging.config
    try:
        if path is not None:
            check_config(path)
    except ConfigError as error:
        where = found.project.sources["logging.config"].where
        yield Problem(Place(where), "logging.config", str(error).removeprefix("logging.config: "))


def _resolved(task: AnyTask, problems: list[Problem], told: Collection[str]) -> ResolvedTask | None:
    """Resolve a task, which imports its store and its format; what is told is not told again."""
    try:
        with settings.override(mode="cache"):
            return ResolvedTask(task, settings.current())
    except PrefectxError as error:
        if str(error) not in told:
            problems.extend(getattr(error, "problems", ()) or [_of(task, "", str(error))])
        return None


def _of(task: TaskDefinition, key: str, message: str) -> Problem:
    place = settings.place_of(task.fn) or Place(task.qualified_name)
    return Problem(place, f"{task.name}{key and '.' + key}", message)


def _unknown_fields(resolved: ResolvedTask, known: set[str]) -> Iterator[Problem]:
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
    """Yield a problem for each task whose target fills like that of an earlier one."""
    seen: dict[tuple[object, ...], ResolvedTask] = {}
    for resolved in resolved_tasks:
        if resolved.target is None or resolved.options.shared:
            continue
        place = (resolved.store, resolved.options.root, _as_filled(resolved.target, resolved.task))
        other = seen.setdefault(place, resolved)
        if other is not resolved:
            message = (
                f"has the same target as {other.task.name}: {show(resolved.target.text)}; "
                "add {funcname} to it, or set shared = true"
            )
            yield _of(resolved.task, "target", message)


def _as_filled(template: Template, task: TaskDefinition) -> str:
    own = {"{funcname}": task.__name__, "{name}": task.name, "{module}": task.__module__}
    if task.given_name and "base" not in task.signature.names:
        own["{base}"] = f"{task.given_name}-{{base}}"  # an automatic one begins with the name
    text = template.text
    for field, value in own.items():
        text = text.replace(field, value)
    return text

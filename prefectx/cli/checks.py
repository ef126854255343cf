"""Checks that a configuration fits its tasks."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prefectx import settings
from prefectx.calls.resolved_task import Recipe
from prefectx.cli.loading import AnyTask, load_tasks, names_in_contexts
from prefectx.errors import PrefectxError
from prefectx.settings import Place, Problem, Settings, did_you_mean, show
from prefectx.stores import make_store
from prefectx.targets.fields import Fields
from prefectx.targets.template import Template


def check_files(files: Sequence[Path], found: Settings) -> list[Problem]:
    """Compare settings with the tasks in Python files.

    Parameters:
        files: paths of Python files, which are imported.
        found: the settings.

    Returns:
        The mistakes.
    """
    problems: list[Problem] = []
    with settings.use(found):
        tasks = load_tasks(files, problems)
        if not problems:  # the tasks of a file that cannot be imported are unknown
            problems.extend(found.sections_without_task([task.name for task in tasks]))
        recipes = [recipe for task in tasks if (recipe := _recipe(task, problems))]
        for name in found.stores:
            try:
                make_store(name, found.stores)
            except PrefectxError as error:
                problems.append(found.store_problem(name, str(error)))
        known = names_in_contexts(files)
        for recipe in recipes:
            problems.extend(_unknown_fields(recipe, known))
        problems.extend(_collisions(recipes))
    return problems


def _recipe(task: AnyTask, problems: list[Problem]) -> Recipe | None:
    """Resolve a task, which imports its store and its format."""
    try:
        with settings.override(mode="cache"):
            return Recipe(task, settings.current())
    except PrefectxError as error:
        problems.extend(getattr(error, "problems", ()) or [_of(task, "", str(error))])
        return None


def _of(task: AnyTask, key: str, message: str) -> Problem:
    code = inspect.unwrap(task.fn).__code__
    place = Place.in_file(Path(code.co_filename), code.co_firstlineno)
    return Problem(place, f"{task.name}{key and '.' + key}", message)


def _unknown_fields(recipe: Recipe, known: set[str]) -> Iterator[Problem]:
    """Yield a problem for each field of the task's templates that nothing provides."""
    binder = recipe.task.binder
    if any(p.kind is p.VAR_KEYWORD for p in binder.signature.parameters.values()):
        return
    arguments = dict.fromkeys(binder.signature.parameters)
    names = Fields(recipe, arguments, lambda: "flow").names() | known
    for key, template in (("target", recipe.target), ("task_run_name", recipe.run_name)):
        for field in template.names() if template else ():
            if field not in names:
                message = (
                    f"nothing provides {{{field}}} of {show(template and template.text)}"
                    f"{did_you_mean(field, names)} (an argument, [context] or prefectx.context())"
                )
                yield _of(recipe.task, key, message)


def _collisions(recipes: Iterable[Recipe]) -> Iterator[Problem]:
    """Yield a problem for each task whose target fills like that of an earlier one."""
    seen: dict[tuple[object, ...], Recipe] = {}
    for recipe in recipes:
        if recipe.target is None or recipe.options.shared:
            continue
        place = (recipe.store, recipe.options.root, _as_filled(recipe.target, recipe.task))
        other = seen.setdefault(place, recipe)
        if other is not recipe:
            message = (
                f"has the same target as {other.task.name}: {show(recipe.target.text)}; "
                "add {funcname} to it, or set shared = true"
            )
            yield _of(recipe.task, "target", message)


def _as_filled(template: Template, task: AnyTask) -> str:
    own = {"{funcname}": task.fn.__name__, "{name}": task.name, "{module}": task.fn.__module__}
    text = template.text
    for field, value in own.items():
        text = text.replace(field, value)
    return text

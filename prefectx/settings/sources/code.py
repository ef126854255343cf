"""The program: keywords of `@task` and `with_options`, and `override()`."""

from __future__ import annotations

from pathlib import Path

from prefectx.settings.messages.origins import CodeOrigin
from prefectx.settings.messages.problems import Problem
from prefectx.settings.model import Profile, TaskSection
from prefectx.settings.sources.checking import checked
from prefectx.settings.sources.layer import Layer, Layers, Values, layers_of


def read_keywords(task: str, keywords: Values, folder: Path, problems: list[Problem]) -> Layer:
    """Check the keywords of one task.

    Parameters:
        task: the task's name.
        keywords: the keywords of its decorator and of `with_options`.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.
    """
    origin = CodeOrigin(f"@task {task}")
    return Layer("code", checked(TaskSection, keywords, origin, folder, problems), origin)


def read_override(values: Values, folder: Path, problems: list[Problem]) -> Layers:
    """Check the keywords of `override()`.

    Parameters:
        values: the keywords.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.
    """
    origin = CodeOrigin("override()")
    return layers_of("override", checked(Profile, values, origin, folder, problems), origin)

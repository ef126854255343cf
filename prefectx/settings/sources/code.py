"""The program: keywords of `@task` and `with_options`, and `override()`."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from prefectx.settings.messages.origins import CodeOrigin, Place
from prefectx.settings.messages.problems import Problem
from prefectx.settings.model import Profile, TaskSection
from prefectx.settings.sources.checking import checked
from prefectx.settings.sources.layer import Layer, Layers, Values, layers_of


class Keywords(dict[str, object]):
    """The keywords of a decorator or of `with_options`, and where that is written."""

    place: Place | None = None

    @classmethod
    def at(cls, place: Place | None, values: Values) -> Keywords:
        """Return keywords with their place."""
        keywords = cls(values)
        keywords.place = place
        return keywords


def place_of(function: object) -> Place | None:
    """Return where a function is defined, with its decorators; None if it has no code."""
    function = inspect.unwrap(getattr(function, "__func__", function))  # type: ignore[arg-type]
    code = getattr(function, "__code__", None)
    return Place.in_file(Path(code.co_filename), code.co_firstlineno) if code else None


def place_of_caller() -> Place | None:
    """Return the line of the program that has called prefectx."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return Place.in_file(Path(frame.f_code.co_filename), frame.f_lineno) if frame else None


_OURS = f"{Path(__file__).parents[2]}{os.sep}"


def read_keywords(task: str, keywords: Values, folder: Path, problems: list[Problem]) -> Layer:
    """Check the keywords of one task.

    Parameters:
        task: the task's name.
        keywords: the keywords of its decorator and of `with_options`.
        folder: the folder that relative paths are in.
        problems: receives the mistakes.
    """
    origin = CodeOrigin(f"@task {task}", getattr(keywords, "place", None))
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

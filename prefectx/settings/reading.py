"""Reading the settings of the project: the file, its profile, the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefectx.settings.environment import CONFIG, PROFILE, SWITCH, Variables, read_variables
from prefectx.settings.files import find_file, read_file
from prefectx.settings.layers import NOTHING, Layer, Part, checked, given, part_of
from prefectx.settings.model import Configuration, Profile
from prefectx.settings.origins import Place
from prefectx.settings.problems import Problem, raise_problems
from prefectx.settings.resolution import Settings
from prefectx.settings.spelling import did_you_mean, show
from prefectx.settings.stores import stores_without_class, unknown_stores


def read_settings(
    environ: Mapping[str, str], folder: Path, problems: list[Problem] | None = None
) -> Settings:
    """Read the settings that hold in a folder.

    Parameters:
        environ: the environment.
        folder: the working directory.
        problems: receives the mistakes, where the caller wants to tell them itself.

    Returns:
        The settings; with `problems` as far as they are right.

    Raises:
        ConfigError: all mistakes, where no `problems` were given.
    """
    found: list[Problem] = []
    path = find_file(environ, folder)
    base = path.parent if path else folder
    in_file, profiles, in_profile = _read_file(path, environ, found)
    known = {"context": in_file.everywhere.values.get("context", {}), "stores": in_file.stores}
    in_environment = _read_environment(environ, known, folder, found)
    switch = _read_switch(environ, found)
    settings = Settings(path, base, in_file, in_profile, in_environment, switch)
    _check_stores(settings, profiles, found)
    if problems is None:
        raise_problems(found)
    else:
        problems.extend(found)
    return settings


def _read_file(
    path: Path | None, environ: Mapping[str, str], problems: list[Problem]
) -> tuple[Part, dict[str, Part], Part]:
    """Return what the file says, what each profile says, and the profile that is used."""
    chosen = environ.get(PROFILE)
    if path is None:
        if chosen:
            message = f"there is no profile {show(chosen)}: no configuration file was found"
            problems.append(Problem(Place(PROFILE), "", f"{message}; {CONFIG} can name one"))
        return NOTHING, {}, NOTHING
    raw, origin = read_file(path, problems)
    values = checked(Configuration, raw, origin, path.parent, problems)
    profiles = {
        name: part_of("profile", given(profile), origin, ("profiles", name))
        for name, profile in values.get("profiles", {}).items()
    }
    in_profile = NOTHING
    if name := chosen or values.get("profile"):
        place = Place(PROFILE) if chosen else origin.place(("profile",), key=False)
        in_profile = _profile(name, place, raw, profiles, problems)
    return part_of("file", values, origin), profiles, in_profile


def _profile(
    name: str,
    place: Place,
    raw: Mapping[str, Any],
    profiles: Mapping[str, Part],
    problems: list[Problem],
) -> Part:
    if name in profiles:
        return profiles[name]
    # A file with mistakes has no checked profiles, but they are in it.
    known = raw.get("profiles", {})
    if name not in known:
        hint = did_you_mean(name, known) or _listed(known)
        key = "" if place.name == PROFILE else "profile"
        problems.append(Problem(place, key, f"there is no profile {show(name)}{hint}"))
    return NOTHING


def _listed(names: Mapping[str, Any]) -> str:
    if not names:
        return "; the file has none: a table [profiles.NAME] makes one"
    return f"; there are {', '.join(names)}"


def _read_environment(
    environ: Mapping[str, str], known: Mapping[str, Any], folder: Path, problems: list[Problem]
) -> Part:
    variables = read_variables(environ, known)
    problems.extend(variables.problems)
    values = checked(Profile, variables.values, variables.origin, folder, problems)
    part = part_of("environment", values, variables.origin)
    return Part(part.everywhere, part.tasks, part.stores, by_variable=True)


def _read_switch(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    """Read PREFECTX, the mode of the whole run."""
    variables = Variables()
    if mode := environ.get(SWITCH):
        variables.put(SWITCH, ("mode",), mode)
    values = checked(Profile, variables.values, variables.origin, None, problems)
    return Layer("environment", values, variables.origin)


def _check_stores(
    settings: Settings, profiles: Mapping[str, Part], problems: list[Problem]
) -> None:
    in_profiles = [name for part in profiles.values() for name in part.stores]
    known = [*settings.stores, *in_profiles]
    for part in (settings.in_file, *profiles.values(), settings.in_environment):
        problems.extend(unknown_stores(part, known))
    wrong = {problem.key.removesuffix(".class") for problem in problems}
    for part in (settings.in_file, settings.in_profile, settings.in_environment):
        without = stores_without_class(part, settings.stores)
        problems.extend(problem for problem in without if problem.key not in wrong)

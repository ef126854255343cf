"""The profile: the table [profiles.NAME] that PREFECTX_PROFILE, or `profile`, names."""

from __future__ import annotations

from collections.abc import Mapping

from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem
from prefectx.settings.messages.spelling import did_you_mean, show
from prefectx.settings.sources.layer import NOTHING, Layers, table
from prefectx.settings.sources.toml_file import CONFIG, TomlFile

PROFILE = "PREFECTX_PROFILE"
"""The variable that names the profile."""


def read_profile(
    file: TomlFile,
    profiles: Mapping[str, Layers],
    environ: Mapping[str, str],
    problems: list[Problem],
) -> Layers:
    """Return what the chosen profile sets.

    Parameters:
        file: the configuration file.
        profiles: its profiles.
        environ: the environment.
        problems: receives the mistakes.
    """
    chosen = environ.get(PROFILE)
    name = chosen or file.values.get("profile")
    if not isinstance(name, str):
        return NOTHING
    if name in profiles:
        return profiles[name]
    # Profiles with mistakes are not among the checked ones, but they exist.
    known = table(file.raw, "profiles")
    if name in known:
        return NOTHING
    if file.path is None:
        hint = f": no configuration file was found; set {CONFIG} to name one"
    elif not known:
        hint = "; the file has no profiles, add a table [profiles.NAME]"
    else:
        hint = did_you_mean(name, known) or f"; known profiles: {', '.join(known)}"
    place = Place(PROFILE) if chosen else file.origin.place(("profile",), key=False)
    key = "" if chosen else "profile"
    problems.append(Problem(place, key, f"unknown profile {show(name)}{hint}"))
    return NOTHING

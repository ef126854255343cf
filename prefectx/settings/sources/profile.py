"""The profiles: the tables [profiles.NAME] that PREFECTX_PROFILE, or `profile`, names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from prefectx.settings.messages.origins import Place
from prefectx.settings.messages.problems import Problem, dotted
from prefectx.settings.messages.spelling import did_you_mean, show
from prefectx.settings.sources.finding import CONFIG, Named
from prefectx.settings.sources.layer import Layers, table
from prefectx.settings.sources.toml_file import TomlFile
from prefectx.settings.values import parse_names

PROFILE = "PREFECTX_PROFILE"
"""The variable that names the profiles."""


def read_profiles(
    files: Sequence[TomlFile], named: Named | None, problems: list[Problem]
) -> dict[str, tuple[Layers, ...]]:
    """Return what each chosen profile sets, from the weakest to the strongest.

    Parameters:
        files: the configuration files, from the weakest to the strongest.
        named: the profiles that the user named, with commas between them; else `profile` counts.
        problems: receives the mistakes, also of variables that are not set: they matter only in
            what is in force.

    Returns:
        By name; one `Layers` for each file that has the profile.
    """
    names: tuple[str, ...] = ()
    place, key = Place(""), ""
    if named is not None:
        place = Place(named.by)
        try:
            names = parse_names(named.value) or ()
        except ValueError:
            problems.append(Problem(place, "", f"{show(named.value)} names no profile"))
    else:
        for file in reversed(files):
            if "profile" in file.values:
                names, key = cast(tuple[str, ...], file.values["profile"]), "profile"
                place = file.origin.place(("profile",), key=False)
                break
    problems.extend(_unset(files, names))
    # Profiles with mistakes are not among the checked ones, but they exist.
    known = list(dict.fromkeys(name for file in files for name in table(file.raw, "profiles")))
    for name in names:
        if name not in known:
            problems.append(Problem(place, key, _unknown(name, known, files)))
    return {
        name: tuple(file.profiles[name] for file in files if name in file.profiles)
        for name in names
    }


def _unknown(name: str, known: Sequence[str], files: Sequence[TomlFile]) -> str:
    if not files:
        hint = f": no configuration file was found; set {CONFIG} to name one"
    elif not known:
        hint = "; the file has no profiles, add a table [profiles.NAME]"
    else:
        hint = did_you_mean(name, known) or f"; known profiles: {', '.join(known)}"
    return f"unknown profile {show(name)}{hint}"


def _unset(files: Sequence[TomlFile], chosen: Sequence[str]) -> Iterator[Problem]:
    for file in files:
        for path, message in file.unset.items():
            if path[0] != "profiles" or (path[1:2] and path[1] in chosen):
                yield Problem(file.origin.place(path, key=False), dotted(path), message)

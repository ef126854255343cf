"""Reads all sources into the settings, and reports what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from prefectx.settings.messages.problems import Problem, raise_problems
from prefectx.settings.resolution import Settings
from prefectx.settings.sources.command_line import CommandLine, read_options
from prefectx.settings.sources.environment import Known, read_environment, read_switch
from prefectx.settings.sources.finding import CONFIG, find_file, outranked, program_folder
from prefectx.settings.sources.layer import table
from prefectx.settings.sources.profile import PROFILE, read_profiles
from prefectx.settings.sources.toml_file import TomlFile, read_files
from prefectx.settings.stores import stores_without_class, unknown_stores


def read_settings(
    environ: Mapping[str, str],
    folder: Path,
    problems: list[Problem] | None = None,
    command: CommandLine = CommandLine(),  # noqa: B008  # cannot be changed
) -> Settings:
    """Read the settings for a folder.

    Parameters:
        environ: the environment.
        folder: the working directory.
        problems: receives the mistakes instead of an error.
        command: what the command line says of the configuration.

    Returns:
        The settings; with `problems` without the wrong values.

    Raises:
        ConfigError: if there are mistakes and no `problems` were given.
    """
    found: list[Problem] = []
    config = command.named(command.config, "--config", environ, CONFIG)
    profile = command.named(command.profile, "--profile", environ, PROFILE)
    file = find_file(config, folder, command.program or program_folder(), found)
    files = read_files(file, config.by if config else "", environ, found)
    in_files = tuple(read.layers for read in files)
    in_profiles = read_profiles(files, profile, found)
    named = (*in_files, *chain.from_iterable(in_profiles.values()))
    context = {k: v for each in named for k, v in table(each.everywhere.values, "context").items()}
    known = Known(context, [name for each in named for name in each.stores])
    in_environment = read_environment(environ, known, folder, found)
    settings = Settings(
        file,
        file.parent if file else folder,
        in_files,
        in_profiles,
        in_environment,
        read_switch(environ, found),
        read_options(command.options, context, folder, found),
        tuple(_warnings(files)),
    )
    profiles = [layers for read in files for layers in read.profiles.values()]
    everything = (*in_files, *profiles, in_environment, settings.in_command)
    stores = [name for source in everything for name in source.stores]
    for source in everything:
        found.extend(unknown_stores((source.everywhere, *source.tasks.values()), stores))
    wrong = {problem.key.removesuffix(".class") for problem in found}
    for source in settings.sources:
        without = stores_without_class(source, settings.stores)
        found.extend(problem for problem in without if problem.key not in wrong)

    if problems is None:
        raise_problems(found)
    else:
        problems.extend(found)
    return settings


def _warnings(files: Sequence[TomlFile]) -> Iterator[str]:
    """Yield what is no mistake in the files, but may not be meant."""
    if not files:
        return
    read = [file.path for file in files]
    other = outranked(read[-1])
    if other is not None and other not in read:
        yield f"{read[-1]} counts; the table [tool.prefectx] of {other.name} beside it does not"

"""What every command that reads the configuration takes: which file, which profiles, settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from prefectx import settings


@Parameter(name="*")
@dataclass(frozen=True)
class Choices:
    """The options `--config`, `--profile` and `-o`.

    Attributes:
        config: the configuration file, instead of PREFECTX_CONFIG.
        profile: the profiles with commas between them, instead of PREFECTX_PROFILE.
        option: a setting, such as -o tasks.clean.refresh=true; beats all other layers.
    """

    config: str | None = None
    profile: str | None = None
    option: Annotated[
        tuple[str, ...],
        Parameter(name=["--option", "-o"], negative="", n_tokens=1, consume_multiple=False),
    ] = ()

    def apply(self, program: Path | None = None) -> None:
        """Put them in force for this process.

        Parameters:
            program: the folder of the program that the command runs.
        """
        settings.use_command_line(self.config, self.profile, self.option, program)


@Parameter(name="*")
@dataclass(frozen=True)
class LongChoices(Choices):
    """The same for a command whose `-o` is the file that it writes.

    Attributes:
        option: a setting, such as --option tasks.clean.stale=ignore; beats all other layers.
    """

    option: Annotated[
        tuple[str, ...],
        Parameter(name="--option", negative="", n_tokens=1, consume_multiple=False),
    ] = ()


NONE = Choices()
LONG_NONE = LongChoices()

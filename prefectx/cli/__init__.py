"""The command `prefectx`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 the work failed, 2 wrong arguments or configuration.

    Parameters:
        arguments: the arguments; by default those of the command line.
    """
    from prefectx.cli.app import run_command

    sys.exit(run_command(sys.argv[1:] if arguments is None else arguments))

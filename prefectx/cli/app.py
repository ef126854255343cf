"""The commands, and how their errors are reported."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from prefectx.cli.config import config
from prefectx.cli.init import init
from prefectx.cli.output import errors, print_problems
from prefectx.errors import ConfigError, PrefectxError

DONE, FAILED, WRONG = 0, 1, 2
"""Exit codes: the work is done, the work failed, the arguments or the configuration are wrong."""

app = App(
    name="prefectx",
    help="Plain functions, run four ways from a configuration file.",
    version=version("prefectx"),
)
app.command(init)
app.command(config)


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters:
        arguments: the arguments after `prefectx` on the command line.

    Returns:
        The exit code.
    """
    try:
        command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)
        return int(command(*bound.args, **bound.kwargs) or DONE)
    except CycloptsError as error:
        errors().print(f"{error}\nFor usage, see prefectx --help.", markup=False)
        return WRONG
    except ConfigError as error:
        if error.problems:
            print_problems(error.problems)
        else:
            errors().print(str(error), markup=False)
        return WRONG
    except (KeyboardInterrupt, EOFError):
        errors().print("Stopped.")
        return FAILED
    except PrefectxError as error:
        errors().print(str(error), markup=False)
        return FAILED

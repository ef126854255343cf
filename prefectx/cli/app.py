"""The commands, and how their errors are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from prefectx.cli.accept import accept
from prefectx.cli.config import config
from prefectx.cli.flows import plan, run
from prefectx.cli.graph import graph
from prefectx.cli.init import init
from prefectx.cli.ls import ls
from prefectx.cli.output import errors, print_problems
from prefectx.cli.replay import replay
from prefectx.cli.report import report
from prefectx.cli.rm import rm
from prefectx.cli.show import show
from prefectx.cli.status import status
from prefectx.cli.verify import verify
from prefectx.cli.why import why
from prefectx.errors import ConfigError, PrefectxError
from prefectx.inspection.errors import UsageError

DONE, FAILED, WRONG = 0, 1, 2
"""Exit codes: the work is done, the work failed, the arguments or the configuration are wrong."""

app = App(
    name="prefectx",
    help="Plain functions, run four ways from a configuration file.",
    version=version("prefectx"),
)
for _command in (
    *(init, config, run, plan, why, status, ls, show, rm, accept, verify, replay),
    *(graph, report),
):
    app.command(_command)


app.register_install_completion_command()


def run_command(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters:
        arguments: the arguments after `prefectx` on the command line.

    Returns:
        The exit code.
    """
    try:
        command, bound, _ = app.parse_args(list(arguments), exit_on_error=False, print_error=False)
        return int(command(*bound.args, **bound.kwargs) or DONE)
    except BrokenPipeError:
        # Whoever reads has enough; what is left must not be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
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
    except UsageError as error:
        errors().print(str(error), markup=False, soft_wrap=True)
        return WRONG
    except PrefectxError as error:
        errors().print(str(error), markup=False, soft_wrap=True)
        return FAILED

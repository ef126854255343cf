"""Whether a worker has loaded the code of the process that makes a call."""

from __future__ import annotations

from types import FunctionType

from prefectx.arguments.identity.names import leads_back
from prefectx.errors import WorkerError
from prefectx.records.code.fingerprints import code_of
from prefectx.records.record import Recipe


def check_code(recipe: Recipe, packages: tuple[str, ...], function: object) -> None:
    """Refuse to run a function whose code is not that of where the call was made.

    Parameters:
        recipe: what the call is made of there.
        packages: installed packages whose code counts as the project's.
        function: the task's function here.

    Raises:
        WorkerError: this process has loaded other code.
    """
    if recipe.own is None or not callable(function) or str(recipe.code).startswith("version"):
        return
    inner = getattr(function, "func", function)
    if not isinstance(inner, FunctionType) or not leads_back(inner):
        return  # it came with the call
    here = code_of(function, packages)
    then = {**recipe.symbols, "": recipe.own}
    now = {**here.symbols, "": here.own}
    different = [
        name or recipe.function
        for name in then.keys() & now.keys()
        if then[name] is not None
        and (name in here.outdated or (now[name] is not None and now[name] != then[name]))
    ]
    if different:
        raise WorkerError(
            f"task {recipe.task!r}: this worker has loaded other code than the process that makes"
            f" the call: {', '.join(sorted(different)[:3])} differs; restart the worker"
        )

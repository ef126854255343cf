"""A function in a pickle that takes it along, with the file that it is from."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import Any


class ByValue:
    """Stands for a function in a pickle; unpickled it is the function again.

    From 3.1.3 on cloudpickle leaves out which file a function is from: on a worker, lines of logs
    and of tracebacks would name `<dynamic-code>` instead.

    Parameters:
        function: the function.
    """

    def __init__(self, function: FunctionType) -> None:
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_file, (self.function, self.function.__code__.co_filename)


def _from_file(function: FunctionType, file: str) -> FunctionType:
    # An older cloudpickle has kept the file, and a deep copy has the very same function.
    if function.__code__.co_filename != file:
        function.__code__ = _code_from_file(function.__code__, file)
    return function


def _code_from_file(code: CodeType, file: str) -> CodeType:
    constants = (_code_from_file(c, file) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=file, co_consts=tuple(constants))

"""Validates and converts the parameters of a flow by their annotations, each by itself."""

from __future__ import annotations

import typing
from collections.abc import Callable

from prefectx.arguments.references import holds_references
from prefectx.arguments.signature import Arguments, Signature
from prefectx.prefect_errors import also_prefects


class ParameterError(TypeError):
    """Parameters of a flow are not what their annotations say."""


def validated(fn: Callable[..., object], signature: Signature, given: Arguments) -> Arguments:
    """Return the parameters of a flow, converted to the types of their annotations by pydantic.

    What holds an item or a future passes as it is: its data are not there. So do, as in Prefect,
    `*args` and `**kwargs`.

    Parameters:
        fn: the flow's function.
        signature: its signature.
        given: the parameters by name.

    Raises:
        ParameterError: if one cannot be converted; it names all of them.
    """
    from pydantic import ValidationError

    hints, found, problems = _hints(fn), dict(given), []
    for name, value in given.items():
        if name not in hints or name in signature.variadic or holds_references(value):
            continue
        try:
            found[name] = _adapter(hints[name]).validate_python(value)
        except ValidationError as error:
            problems += [
                f"{'.'.join(map(str, (name, *each['loc'])))}: {each['msg']}"
                for each in error.errors()
            ]
    if problems:
        lines = "\n - ".join(["Flow run received invalid parameters:", *problems])
        raise also_prefects(ParameterError(lines), "ParameterTypeError")
    return found


def _hints(fn: Callable[..., object]) -> dict[str, typing.Any]:
    try:
        hints = typing.get_type_hints(fn, include_extras=True)
    except Exception:  # the names may exist only for type checkers
        hints = {}
    return {name: hint for name, hint in hints.items() if name != "return"}


def _adapter(hint: typing.Any) -> typing.Any:
    """Return pydantic's validator of a type; types that pydantic does not know are checked."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter

    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:  # models and dataclasses have a configuration of their own
        return TypeAdapter(hint)

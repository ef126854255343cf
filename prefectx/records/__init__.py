"""Records: who made an output, from what, with which code, and whether that is still so."""

from prefectx.records.arguments import recorded, recorded_arguments
from prefectx.records.code import Code, code_of, function_exists, version_code
from prefectx.records.record import Argument, Input, Recipe, Record, Sources
from prefectx.records.records import Records, records_in
from prefectx.records.staleness import Cause, Kind, changes_of_inputs, changes_of_recipe

__all__ = [
    "Argument",
    "Cause",
    "Code",
    "Input",
    "Kind",
    "Recipe",
    "Record",
    "Records",
    "Sources",
    "changes_of_inputs",
    "changes_of_recipe",
    "code_of",
    "function_exists",
    "recorded",
    "recorded_arguments",
    "records_in",
    "version_code",
]

"""Records: who made an output, from what, with which code, and whether that is still so."""

from prefectx.records.accepted import accept, accepted_in
from prefectx.records.arguments import recorded_arguments
from prefectx.records.code import Code, check_code, code_of, version_code
from prefectx.records.earlier import put_back, version_to_put_back
from prefectx.records.journal import FOLDER
from prefectx.records.lineage import Lineage
from prefectx.records.origin import Origin, Stale
from prefectx.records.outputs import bytes_store, read_version, state_of
from prefectx.records.packages import installed_versions
from prefectx.records.record import Argument, Failure, Recipe, Record, Sources
from prefectx.records.recorder import recording
from prefectx.records.records import Records, records_in
from prefectx.records.staleness import NOTHING, Cause, Kind, changes_of_inputs, changes_of_recipe

__all__ = [
    "FOLDER",
    "NOTHING",
    "Argument",
    "Cause",
    "Code",
    "Failure",
    "Kind",
    "Lineage",
    "Origin",
    "Recipe",
    "Record",
    "Records",
    "Sources",
    "Stale",
    "accept",
    "accepted_in",
    "bytes_store",
    "changes_of_inputs",
    "changes_of_recipe",
    "check_code",
    "code_of",
    "installed_versions",
    "put_back",
    "read_version",
    "recorded_arguments",
    "recording",
    "records_in",
    "state_of",
    "version_code",
    "version_to_put_back",
]

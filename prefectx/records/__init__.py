"""Records: who made an output, from what, with which code, and whether that is still so."""

from prefectx.records.arguments import recorded_arguments
from prefectx.records.code import Code, check_code, code_of, version_code
from prefectx.records.earlier import put_back, version_to_put_back
from prefectx.records.lineage import Lineage, Origin, Stale
from prefectx.records.outputs import bytes_store, state_of
from prefectx.records.packages import installed_versions
from prefectx.records.record import Failure, Record, Sources
from prefectx.records.recorder import recording
from prefectx.records.records import Records, records_in

__all__ = [
    "Code",
    "Failure",
    "Lineage",
    "Origin",
    "Record",
    "Records",
    "Sources",
    "Stale",
    "bytes_store",
    "check_code",
    "code_of",
    "installed_versions",
    "put_back",
    "recorded_arguments",
    "recording",
    "records_in",
    "state_of",
    "version_code",
    "version_to_put_back",
]

"""What code a task is made of."""

from prefectx.records.code.agreement import check_code
from prefectx.records.code.contents import Code
from prefectx.records.code.fingerprints import code_of, version_code
from prefectx.records.code.project import function_exists

__all__ = ["Code", "check_code", "code_of", "function_exists", "version_code"]

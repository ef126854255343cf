"""What code a task is made of."""

from prefectx.records.code.fingerprints import Code, code_of, version_code
from prefectx.records.code.modules import function_exists

__all__ = ["Code", "code_of", "function_exists", "version_code"]

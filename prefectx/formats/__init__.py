"""How objects become the bytes of files: one `Format` per suffix, chosen by the file's name."""

from prefectx.formats.base import Format, FormatError, type_name
from prefectx.formats.registry import FORMATS

__all__ = [
    "FORMATS",
    "Format",
    "FormatError",
    "get_format",
    "known_suffix",
    "register_format",
    "type_name",
]

get_format = FORMATS.get
known_suffix = FORMATS.known_suffix
register_format = FORMATS.register

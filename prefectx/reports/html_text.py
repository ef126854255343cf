"""Text of others in HTML and SVG: escaped, and without what neither may hold."""

from __future__ import annotations

import html
import re

# Control characters and halves of pairs, which XML does not allow and UTF-8 does not have.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that change the direction of what stands around them.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(text: object) -> str:
    """Return a text as it may stand in a page, not escaped yet."""
    replaced = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text))
    return _TURNING.sub("\N{REPLACEMENT CHARACTER}", replaced)


def escaped(text: object) -> str:
    """Return a text for the content of an element or an attribute in double quotes."""
    return html.escape(clean(text), quote=True)


def shortened(text: object, length: int) -> str:
    """Return a text that is cut in the middle if it is longer."""
    whole = str(text)
    if len(whole) <= length:
        return whole
    half = (length - 1) // 2
    return f"{whole[:half]}…{whole[len(whole) - half :]}"

"""What a TOML parser reports, in plain words that say what to do."""

from __future__ import annotations

import ast
import re

from prefectx.settings.messages.problems import dotted

_WORDS = {
    "Invalid value": "this is no value; put text in quotes, write true and false in lower case",
    "Invalid statement": "this is no key; write key = value, or [table]",
    "Illegal character '\\n'": "the quotes are not closed",
    "Unterminated string": "the quotes are not closed",
    'Expected "\'"': "the quotes are not closed",
    "Expected '\"'": "the quotes are not closed",
    "Unescaped '\\' in a string": (
        "\\ begins a special character here; double it, or put the text in single quotes"
    ),
    "Expected '=' after a key in a key/value pair": (
        "there is no = after the key; write key = value"
    ),
    "Expected newline or end of document after a statement": (
        "something is left after the value; begin a new line, or put text in quotes"
    ),
    "Expected ']' at the end of a table declaration": "the ] of the table is missing",
    "Expected ']]' at the end of an array declaration": "the ]] of the table is missing",
    "Cannot overwrite a value": "the key is already set; remove one of them",
    "Unclosed array": "the ] of the list is missing, or a comma in it",
    "Unclosed inline table": "the } of the table is missing, or a comma in it",
    "Invalid initial character for a key part": (
        "this is no key; remove a comma before it, or put it in quotes"
    ),
    "Invalid hex value": "the escape is not complete; double the \\, or use single quotes",
    "Invalid date or datetime": "there is no such date",
}
_TABLE_TWICE = re.compile(r"Cannot (?:declare|define|mutate|redefine).*?(\(.*\))?(?: twice)?$")


def in_plain_words(message: str) -> str:
    """Return the message of a TOML parser in plain words; unknown ones as they are."""
    for known, words in _WORDS.items():
        if message.startswith(known):
            return words
    if found := _TABLE_TWICE.match(message):
        name = f"[{dotted(ast.literal_eval(found[1]))}]" if found[1] else "the table"
        return f"{name} is written twice; put its keys together"
    return message

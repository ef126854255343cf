"""Writing TOML; enough of it for the tests."""

import json


def toml(table: dict) -> str:
    def write(value: object) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {write(v)}" for k, v in value.items()) + "}"
        return json.dumps(value)

    return "\n".join(f"{json.dumps(key)} = {write(value)}" for key, value in table.items())

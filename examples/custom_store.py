"""A custom store: four methods, here on a SQLite file.

python examples/custom_store.py
PREFECTX=cache python examples/custom_store.py
"""

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from prefectx import Store, flow, load, task


class SqliteStore(Store):
    """Keep outputs as rows of one SQLite file."""

    def __init__(self, path: str = "outputs.sqlite") -> None:
        self.path = Path(path).absolute()

    def exists(self, location: str) -> bool:
        """Tell whether there is a row for `location`."""
        return bool(self._execute("select 1 from outputs where location = ?", location))

    def save(self, location: str, data: Any) -> None:
        """Write the row, or replace it."""
        self._execute("replace into outputs values (?, ?)", location, pickle.dumps(data))

    def load(self, location: str) -> Any:
        """Read the row back."""
        rows = self._execute("select data from outputs where location = ?", location)
        if not rows:
            raise FileNotFoundError(location)
        return pickle.loads(rows[0][0])

    def delete(self, location: str) -> None:
        """Remove the row."""
        self._execute("delete from outputs where location = ?", location)

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("create table if not exists outputs (location primary key, data)")
            return connection.execute(statement, values).fetchall()


@task(store=SqliteStore, target="words/{text}")
def count_words(text: str) -> int:
    """Count words; the output is a row, not a file."""
    print(f"counting the words of {text!r}")
    return len(text.split())


@flow
def pipeline() -> list[int]:
    """Count the words of two sentences."""
    return load(count_words.map(["to be or not to be", "that is the question"]))


def main() -> None:
    """Run the flow and print what it returns."""
    print("words:", *pipeline())


if __name__ == "__main__":
    main()

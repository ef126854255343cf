"""Databases as another client sees them."""

from __future__ import annotations

from contextlib import contextmanager

import sqlalchemy as sa


def query(url, sql):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(sql)
        return result.all() if result.returns_rows else None


@contextmanager
def inspected(url):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield sa.inspect(connection)

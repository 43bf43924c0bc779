"""PostgreSQL's search path: the schema in which statements find their tables."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql


@contextmanager
def search_path(connection: psycopg.Connection, schema: str | None) -> Iterator[None]:
    """Set the search path to `schema` for the block; None: leave it as it is.

    To be used in a transaction: if that fails, its end restores the path.
    """
    if schema is None:
        yield
        return
    row = connection.execute("SELECT current_setting('search_path')").fetchone()
    assert row is not None
    change = "SELECT set_config('search_path', %s, true)"
    connection.execute(change, [sql.Identifier(schema).as_string(connection)])
    yield
    connection.execute(change, row)

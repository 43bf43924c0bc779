"""Where statements find their tables."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql


@contextmanager
def standing_in(connection: psycopg.Connection, schema: str | None) -> Iterator[None]:
    """Names mean what stands in `schema`, until the end of the block; None: what they mean already.

    To be used in a transaction: if that fails, its end puts the names right.
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

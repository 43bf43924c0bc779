"""The schema's history (Alembic): a revision a file; `docs/schema.sql` is what they add up to."""

from pathlib import Path

import psycopg
from alembic import op

HERE = Path(__file__).parent
VERSION_TABLE = "linepulse_schema"
"""A name of our own: another application's `alembic_version` in the same database is not mistaken for it."""


def run_sql(sql: str) -> None:
    """Run statements as they stand: SQLAlchemy would read their colons as parameters."""
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(sql)

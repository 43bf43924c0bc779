"""The schema's history (Alembic): a plain SQL file a revision; `sinks/schema.sql` is what they add up to."""

from pathlib import Path

import psycopg
from alembic import op

HERE = Path(__file__).parent
VERSION_TABLE = "linepulse_schema"
"""A name of our own: another application's `alembic_version` in the same database is not mistaken for it."""


def run_sql(revision: str) -> None:
    """Run `versions/<revision>.sql` as it stands: SQLAlchemy would read its colons as parameters."""
    sql = (HERE / "versions" / f"{revision}.sql").read_text("utf-8")
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(sql)

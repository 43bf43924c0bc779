"""All tables of the pipeline."""

from sinks.migrations import run_sql

revision = "0001_tables"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    run_sql(revision)

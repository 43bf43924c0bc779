"""How far each stage of the pipeline has come, as the sinks see it: the page knows by it that one stands."""

from sinks.migrations import run_sql

revision = "0006_stages"
down_revision = "0005_required"


def upgrade() -> None:
    """Make the table."""
    run_sql(revision)

"""How much of a stop fell into required time. Of those that are there nobody knows; a rebuild tells."""

from sinks.migrations import run_sql

revision = "0005_required"
down_revision = "0004_sums"
SQL = """
ALTER TABLE "Downtime" ADD COLUMN "requiredSeconds" double precision;
"""


def upgrade() -> None:
    """Add the column."""
    run_sql(SQL)

"""Why an order or an alert ended otherwise than by itself."""

from sinks.migrations import run_sql

revision = "0002_reasons"
down_revision = "0001_tables"
SQL = """
ALTER TABLE "ProductionOrder" ADD COLUMN "reason" text;
ALTER TABLE "Alert" ADD COLUMN "reason" text;
"""


def upgrade() -> None:
    """Add the columns."""
    run_sql(SQL)

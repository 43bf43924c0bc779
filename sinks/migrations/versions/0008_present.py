"""The lines that are there, without a look at every name that ever was: open stops and waiting orders."""

from sinks.migrations import run_sql

revision = "0008_present"
down_revision = "0007_orders"
SQL = """
CREATE INDEX "ProductionOrder_waiting" ON "ProductionOrder" ("lineId") WHERE "status" = 'waiting';
CREATE INDEX "Downtime_open" ON "Downtime" ("lineId") WHERE "endTime" IS NULL;
"""


def upgrade() -> None:
    """Make the indexes."""
    run_sql(SQL)

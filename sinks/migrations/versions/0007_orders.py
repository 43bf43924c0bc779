"""Two orders of a line may have one number: the line forgets numbers in time, and no row is written over."""

from sinks.migrations import run_sql

revision = "0007_orders"
down_revision = "0006_stages"
SQL = """
ALTER TABLE "ProductionOrder" DROP CONSTRAINT "ProductionOrder_lineId_orderNumber";
CREATE INDEX "ProductionOrder_lineId_orderNumber" ON "ProductionOrder" ("lineId", "orderNumber");
"""


def upgrade() -> None:
    """Let a number come again."""
    run_sql(SQL)

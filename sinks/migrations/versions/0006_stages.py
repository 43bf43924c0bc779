"""How far each stage of the pipeline has come, as the sinks see it: the page knows by it that one stands."""

from sinks.migrations import run_sql

revision = "0006_stages"
down_revision = "0005_required"
SQL = """
CREATE TABLE "StageProgress" (
    "stage" text NOT NULL,                    -- kafka, bridge, streams, sinks
    "partition" integer NOT NULL,
    "position" bigint,                        -- the next offset of the raw log; null where a stage has none
    "movedAt" timestamptz(3) NOT NULL,        -- when it last moved, or had nothing left to do
    "seenAt" timestamptz(3) NOT NULL,
    "logTime" timestamptz(3),                 -- of the newest record of the raw log, by the bridge's clock
    PRIMARY KEY ("stage", "partition")
) WITH (fillfactor = 50);
"""


def upgrade() -> None:
    """Make the table."""
    run_sql(SQL)

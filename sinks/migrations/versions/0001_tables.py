"""All tables of the pipeline."""

from sinks.migrations import run_sql

revision = "0001_tables"
down_revision = None
SQL = """
-- All tables of the pipeline. Frozen: later changes are revisions of their own.

CREATE TABLE "ProductionData" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "timestamp" timestamptz(3) NOT NULL,
    "bottlesProduced" integer NOT NULL,
    "targetRate" double precision,            -- pieces per minute
    "actualRate" double precision,            -- pieces per minute
    "defectCount" integer NOT NULL,
    "isRunning" boolean NOT NULL,
    "shiftId" text,
    "shiftDate" date,                         -- the day on which the shift began
    "temperature" double precision,           -- °C
    "pressure" double precision,              -- bar
    "receivedAt" timestamptz(3) NOT NULL
);
CREATE INDEX "ProductionData_lineId_timestamp" ON "ProductionData" ("lineId", "timestamp");

-- Rows that are written again and again leave room on their page, so that a new version touches no index.
CREATE TABLE "ProductionOrder" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "orderNumber" text NOT NULL,
    "productType" text NOT NULL,
    "quantity" bigint NOT NULL,
    "produced" bigint NOT NULL,
    "defects" bigint NOT NULL,
    "targetRate" double precision,
    "actualRate" double precision,
    "startTime" timestamptz(3),               -- null while waiting
    "estimatedEndTime" timestamptz(3),
    "endTime" timestamptz(3),
    "status" text NOT NULL,                   -- waiting, running, completed, cancelled
    "priority" text NOT NULL,                 -- low, medium, high, urgent
    "shift" text,
    "operator" text,
    "createdAt" timestamptz(3) NOT NULL,
    "updatedAt" timestamptz(3) NOT NULL,
    "generation" integer NOT NULL,
    "versionTime" bigint NOT NULL,
    "versionOffset" bigint NOT NULL,
    CONSTRAINT "ProductionOrder_lineId_orderNumber" UNIQUE ("lineId", "orderNumber")
) WITH (fillfactor = 70);
CREATE INDEX "ProductionOrder_lineId_startTime" ON "ProductionOrder" ("lineId", "startTime");

CREATE TABLE "Downtime" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "startTime" timestamptz(3) NOT NULL,
    "endTime" timestamptz(3),                 -- null while open
    "duration" double precision,              -- seconds, null while open
    "category" text NOT NULL,                 -- unplanned, planned, micro, no_signal
    "reason" text,
    "orderNumber" text,
    "shiftId" text,
    "createdAt" timestamptz(3) NOT NULL,
    "updatedAt" timestamptz(3) NOT NULL,
    "generation" integer NOT NULL,
    "versionTime" bigint NOT NULL,
    "versionOffset" bigint NOT NULL
);
CREATE INDEX "Downtime_lineId_startTime" ON "Downtime" ("lineId", "startTime");

CREATE TABLE "Alert" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "type" text NOT NULL,
    "severity" text NOT NULL,                 -- info, warning, critical
    "message" text NOT NULL,
    "value" double precision,
    "threshold" double precision,
    "status" text NOT NULL,                   -- open, resolved
    "startedAt" timestamptz(3) NOT NULL,
    "resolvedAt" timestamptz(3),
    "acknowledgedAt" timestamptz(3),          -- in no event: a new version of the row leaves it alone
    "acknowledgedBy" text,                    -- likewise
    "createdAt" timestamptz(3) NOT NULL,
    "updatedAt" timestamptz(3) NOT NULL,
    "generation" integer NOT NULL,
    "versionTime" bigint NOT NULL,
    "versionOffset" bigint NOT NULL
);
CREATE INDEX "Alert_status" ON "Alert" ("status");
CREATE INDEX "Alert_lineId_startedAt" ON "Alert" ("lineId", "startedAt");

CREATE TABLE "KPISnapshot" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "windowStart" timestamptz(3) NOT NULL,
    "windowEnd" timestamptz(3) NOT NULL,
    "orderNumber" text,
    "shiftId" text,
    "shiftDate" date,
    "trs" double precision,                   -- percentages: 0 to 100, or null and a reason
    "availability" double precision,
    "performance" double precision,
    "quality" double precision,
    "oee" double precision,
    "reason" text,
    "runningSeconds" double precision NOT NULL,
    "stoppedSeconds" double precision NOT NULL,
    "plannedSeconds" double precision NOT NULL,
    "noSignalSeconds" double precision NOT NULL,
    "unknownSeconds" double precision NOT NULL,
    "pieces" bigint NOT NULL,
    "defects" bigint NOT NULL,
    "theoreticalOutput" double precision NOT NULL,
    "reportedOutput" double precision NOT NULL,
    "createdAt" timestamptz(3) NOT NULL,
    "updatedAt" timestamptz(3) NOT NULL,
    "generation" integer NOT NULL,
    "versionTime" bigint NOT NULL,
    "versionOffset" bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX "KPISnapshot_lineId_windowStart" ON "KPISnapshot" ("lineId", "windowStart");

CREATE TABLE "DeadLetter" (
    "id" uuid PRIMARY KEY,
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "topic" text NOT NULL,
    "partition" integer NOT NULL,
    "offset" bigint NOT NULL,
    "mqttTopic" text,
    "payload" bytea NOT NULL,
    "reason" text NOT NULL,
    "detail" text NOT NULL,
    "receivedAt" timestamptz(3) NOT NULL,
    "replayedAt" timestamptz(3)
);
CREATE INDEX "DeadLetter_receivedAt" ON "DeadLetter" ("receivedAt");

-- How far the rows have come in each partition; moved in the transaction that writes them.
CREATE TABLE "SinkCursor" (
    "topic" text NOT NULL,
    "partition" integer NOT NULL,
    "nextOffset" bigint NOT NULL,
    "lastRecordTime" timestamptz(3),
    PRIMARY KEY ("topic", "partition")
) WITH (fillfactor = 20);

-- One reading of the whole log under one set of rules; the rows above are those of the live one.
CREATE TABLE "Generation" (
    "generation" integer PRIMARY KEY,
    "plant" text NOT NULL,                    -- the content of plant.toml
    "createdAt" timestamptz(3) NOT NULL DEFAULT now(),
    "live" boolean NOT NULL
);
CREATE UNIQUE INDEX "Generation_live" ON "Generation" ("live") WHERE "live";
"""


def upgrade() -> None:
    """Create the tables."""
    run_sql(SQL)

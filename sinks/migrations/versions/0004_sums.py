"""Sums of windows by hour, and the time zone that says where a day begins."""

import tomllib

from alembic import op

from sinks.migrations import run_sql

revision = "0004_sums"
down_revision = "0003_time_states"
SQL = """
-- Sums of windows by line and local hour, for figures of long periods. linepulse.time_zone: see 0003.

-- A default that is a constant touches no row.
DO $$ BEGIN
    EXECUTE format(
        'ALTER TABLE "KPISnapshot" ADD COLUMN "timeZone" text NOT NULL DEFAULT %L',
        current_setting('linepulse.time_zone')
    );
END $$;
ALTER TABLE "KPISnapshot" ALTER COLUMN "timeZone" SET DEFAULT 'Europe/Paris';

CREATE TABLE "KPISum" (
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "hour" timestamptz(3) NOT NULL,
    "part" smallint NOT NULL,
    "timeZone" text NOT NULL,
    "day" date NOT NULL,
    "dayStart" timestamptz(3) NOT NULL,
    "weekStart" timestamptz(3) NOT NULL,
    "shiftId" text,
    "shiftDate" date,
    "orderNumber" text,
    "productType" text,
    "firstStart" timestamptz(3) NOT NULL,
    "lastEnd" timestamptz(3) NOT NULL,
    "runningSeconds" double precision NOT NULL,
    "slowSeconds" double precision NOT NULL,
    "stoppedSeconds" double precision NOT NULL,
    "microSeconds" double precision NOT NULL,
    "plannedSeconds" double precision NOT NULL,
    "noSignalSeconds" double precision NOT NULL,
    "closedSeconds" double precision NOT NULL,
    "unknownSeconds" double precision NOT NULL,
    "pieces" bigint NOT NULL,
    "timedPieces" bigint NOT NULL,
    "defects" bigint NOT NULL,
    "theoreticalOutput" double precision NOT NULL,
    "reportedOutput" double precision NOT NULL,
    "realOutput" double precision NOT NULL,
    "stops" integer NOT NULL,
    "microStops" integer NOT NULL,
    PRIMARY KEY ("lineId", "hour", "part")
) WITH (fillfactor = 70);
INSERT INTO "KPISum"
SELECT "lineId", max("line"), "hour",
    row_number() OVER (
        PARTITION BY "lineId", "hour"
        ORDER BY min("windowStart"), "day", "timeZone", "shiftDate", "shiftId", "orderNumber", "productType"
    ),
    "timeZone", "day", "day"::timestamp AT TIME ZONE "timeZone",
    date_trunc('week', "day"::timestamp) AT TIME ZONE "timeZone",
    "shiftId", "shiftDate", "orderNumber", "productType", min("windowStart"), max("windowEnd"),
    round(sum("runningSeconds") * 1e3) / 1e3, 0, round(sum("stoppedSeconds") * 1e3) / 1e3, 0,
    round(sum("plannedSeconds") * 1e3) / 1e3, round(sum("noSignalSeconds") * 1e3) / 1e3, 0,
    round(sum("unknownSeconds") * 1e3) / 1e3,
    sum("pieces"), sum("timedPieces"), sum("defects"),
    round(sum("theoreticalOutput") * 1e6) / 1e6, round(sum("reportedOutput") * 1e6) / 1e6,
    round(sum(CASE "performanceFrom" WHEN 'rate' THEN "reportedOutput" ELSE "timedPieces" END) * 1e6) / 1e6,
    0, 0
FROM "KPISnapshot"
GROUP BY "lineId", "hour", "timeZone", "day", "shiftId", "shiftDate", "orderNumber", "productType";
CREATE INDEX "KPISum_hour" ON "KPISum" ("hour");
CREATE INDEX "KPISum_day" ON "KPISum" ("day");
CREATE INDEX "KPISum_dayStart" ON "KPISum" ("dayStart");
CREATE INDEX "KPISum_weekStart" ON "KPISum" ("weekStart");
CREATE INDEX "KPISum_shiftDate" ON "KPISum" ("shiftDate");
CREATE INDEX "KPISum_lineId_orderNumber" ON "KPISum" ("lineId", "orderNumber");

-- The latest samples and the stops of a period, of all lines.
CREATE INDEX "ProductionData_timestamp" ON "ProductionData" ("timestamp");
CREATE INDEX "Downtime_startTime" ON "Downtime" ("startTime");
"""


def upgrade() -> None:
    """Add the table, and sum what is there."""
    found = op.get_bind().exec_driver_sql('SELECT "plant" FROM "Generation" WHERE "live"').scalar()
    zone = tomllib.loads(found or "").get("plant", {}).get("time_zone", "Europe/Paris")
    op.get_bind().exec_driver_sql("SELECT set_config('linepulse.time_zone', %s, true)", (zone,))
    run_sql(SQL)

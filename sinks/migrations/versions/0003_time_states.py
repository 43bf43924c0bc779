"""What the standards' figures need: time states, civil day and hour, product, stops that began.

Rows that are there keep their figures: their new sums are filled in from the old ones, their day and hour by
the plant's clock as the rules in force have it. A rebuild makes them exact.
"""

import json
import tomllib

from alembic import op

from sinks.migrations import run_sql

revision = "0003_time_states"
down_revision = "0002_reasons"
SQL = """
-- What the standards' figures need of a window. One command, so that the table is written anew once.
-- linepulse.time_zone and linepulse.performance_from: of the rules in force, set by the revision.

ALTER TABLE "KPISnapshot"
    ADD COLUMN "productType" text,
    ADD COLUMN "day" date,
    ADD COLUMN "hour" timestamptz(3),
    ADD COLUMN "slowSeconds" double precision NOT NULL DEFAULT 0,
    ADD COLUMN "microSeconds" double precision NOT NULL DEFAULT 0,
    ADD COLUMN "closedSeconds" double precision NOT NULL DEFAULT 0,
    ADD COLUMN "timedPieces" bigint NOT NULL DEFAULT 0,
    ADD COLUMN "stops" integer NOT NULL DEFAULT 0,
    ADD COLUMN "microStops" integer NOT NULL DEFAULT 0,
    ADD COLUMN "performanceFrom" text NOT NULL DEFAULT 'rate',
    ADD COLUMN "do" double precision,
    ADD COLUMN "tp" double precision,
    ADD COLUMN "tq" double precision;

ALTER TABLE "KPISnapshot"
    ALTER COLUMN "day" TYPE date
        USING ("windowStart" AT TIME ZONE current_setting('linepulse.time_zone'))::date,
    ALTER COLUMN "hour" TYPE timestamptz(3)
        USING date_trunc('hour', "windowStart", current_setting('linepulse.time_zone')),
    ALTER COLUMN "timedPieces" TYPE bigint USING "pieces",
    ALTER COLUMN "performanceFrom" TYPE text
        USING coalesce(
            current_setting('linepulse.performance_from')::jsonb ->> "lineId",
            current_setting('linepulse.performance_from')::jsonb ->> ''
        ),
    -- There were no micro-stops and no slow running: lost time is stopped time, and pace is performance.
    ALTER COLUMN "do" TYPE double precision USING "availability",
    ALTER COLUMN "tp" TYPE double precision USING "performance",
    ALTER COLUMN "tq" TYPE double precision USING "quality";

ALTER TABLE "KPISnapshot"
    ALTER COLUMN "day" SET NOT NULL,
    ALTER COLUMN "hour" SET NOT NULL,
    ALTER COLUMN "timedPieces" DROP DEFAULT,
    ALTER COLUMN "performanceFrom" DROP DEFAULT;
"""


def upgrade() -> None:
    """Add the columns, and fill them in."""
    found = op.get_bind().exec_driver_sql('SELECT "plant" FROM "Generation" WHERE "live"').scalar()
    plant = tomllib.loads(found or "")
    every = plant.get("line", {}).get("performance_from", "rate")
    by_line = {line: rules.get("performance_from", every) for line, rules in plant.get("lines", {}).items()}
    for name, value in {
        "time_zone": plant.get("plant", {}).get("time_zone", "Europe/Paris"),
        "performance_from": json.dumps({**by_line, "": every}),
    }.items():
        op.get_bind().exec_driver_sql("SELECT set_config(%s, %s, true)", (f"linepulse.{name}", value))
    run_sql(SQL)

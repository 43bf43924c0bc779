-- The schema as it stands: what all revisions in sinks/migrations/versions/ add up to (a test holds it to them).
--
-- No foreign keys: events of different topics arrive in any order. No enum types: the events' own
-- types are the contract. generation, "versionTime" and "versionOffset" say which event made a row.

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
CREATE INDEX "ProductionData_timestamp" ON "ProductionData" ("timestamp");

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
    "reason" text                             -- log_lost: nobody ended it, the log that it came from is gone
) WITH (fillfactor = 70);
-- Not unique: a line forgets numbers in time, and then makes another order of the same one.
CREATE INDEX "ProductionOrder_lineId_orderNumber" ON "ProductionOrder" ("lineId", "orderNumber");
CREATE INDEX "ProductionOrder_lineId_startTime" ON "ProductionOrder" ("lineId", "startTime");
CREATE INDEX "ProductionOrder_waiting" ON "ProductionOrder" ("lineId") WHERE "status" = 'waiting';

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
    "versionOffset" bigint NOT NULL,
    "requiredSeconds" double precision        -- of duration: the line should have run; null where nobody knows
);
CREATE INDEX "Downtime_lineId_startTime" ON "Downtime" ("lineId", "startTime");
CREATE INDEX "Downtime_startTime" ON "Downtime" ("startTime");
CREATE INDEX "Downtime_open" ON "Downtime" ("lineId") WHERE "endTime" IS NULL;

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
    "versionOffset" bigint NOT NULL,
    "reason" text                             -- as an order's
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
    "versionOffset" bigint NOT NULL,
    "productType" text,
    "day" date NOT NULL,                      -- civil day of the window, by the line's clock
    "hour" timestamptz(3) NOT NULL,           -- start of the local hour that it starts in
    "slowSeconds" double precision NOT NULL DEFAULT 0,    -- in runningSeconds
    "microSeconds" double precision NOT NULL DEFAULT 0,   -- in stoppedSeconds
    "closedSeconds" double precision NOT NULL DEFAULT 0,  -- outside opening time
    "timedPieces" bigint NOT NULL,            -- pieces that count for performance
    "stops" integer NOT NULL DEFAULT 0,       -- unplanned stops that began
    "microStops" integer NOT NULL DEFAULT 0,  -- likewise
    "performanceFrom" text NOT NULL,          -- rate, pieces: what is held against theoreticalOutput
    "do" double precision,                    -- percentages, as trs
    "tp" double precision,
    "tq" double precision,
    "timeZone" text NOT NULL DEFAULT 'Europe/Paris'  -- the line's clock
) WITH (fillfactor = 70);
CREATE INDEX "KPISnapshot_lineId_windowStart" ON "KPISnapshot" ("lineId", "windowStart");

-- "KPISnapshot" summed by line and hour, kept in the transaction that writes it: the views read this.
CREATE TABLE "KPISum" (
    "lineId" text NOT NULL,
    "line" text NOT NULL,
    "hour" timestamptz(3) NOT NULL,           -- its start; a local hour
    "part" smallint NOT NULL,                 -- 1, 2, ...: shift, order or product change within the hour
    "timeZone" text NOT NULL,
    "day" date NOT NULL,                      -- civil day
    "dayStart" timestamptz(3) NOT NULL,       -- midnight, by the line's clock
    "weekStart" timestamptz(3) NOT NULL,      -- of Monday
    "shiftId" text,
    "shiftDate" date,
    "orderNumber" text,
    "productType" text,
    "firstStart" timestamptz(3) NOT NULL,     -- of the windows
    "lastEnd" timestamptz(3) NOT NULL,        -- likewise
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
    "realOutput" double precision NOT NULL, -- each window's own: reportedOutput or timedPieces, by performanceFrom
    "stops" integer NOT NULL,
    "microStops" integer NOT NULL,
    PRIMARY KEY ("lineId", "hour", "part")
) WITH (fillfactor = 70);
CREATE INDEX "KPISum_hour" ON "KPISum" ("hour");
CREATE INDEX "KPISum_day" ON "KPISum" ("day");
CREATE INDEX "KPISum_dayStart" ON "KPISum" ("dayStart");
CREATE INDEX "KPISum_weekStart" ON "KPISum" ("weekStart");
CREATE INDEX "KPISum_shiftDate" ON "KPISum" ("shiftDate");
CREATE INDEX "KPISum_lineId_orderNumber" ON "KPISum" ("lineId", "orderNumber");

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

-- How the stages stand, as the sinks see them every few seconds, whether or not a machine says something.
-- It does not come from the log, and no rule reads it.
CREATE TABLE "StageProgress" (
    "stage" text NOT NULL,                    -- kafka, bridge, streams, sinks
    "partition" integer NOT NULL,
    "position" bigint,                        -- the next offset of the raw log; null where a stage has none
    "movedAt" timestamptz(3) NOT NULL,        -- when it last moved, or had nothing left to do
    "seenAt" timestamptz(3) NOT NULL,
    "logTime" timestamptz(3),                 -- of the newest record of the raw log, by the bridge's clock
    PRIMARY KEY ("stage", "partition")
) WITH (fillfactor = 50);

-- One reading of the whole log under one set of rules; the rows above are those of the live one.
CREATE TABLE "Generation" (
    "generation" integer PRIMARY KEY,
    "plant" text NOT NULL,                    -- the content of plant.toml
    "createdAt" timestamptz(3) NOT NULL DEFAULT now(),
    "live" boolean NOT NULL
);
CREATE UNIQUE INDEX "Generation_live" ON "Generation" ("live") WHERE "live";

-- Rows that a lost log left open: found, and closed.

-- name: find_orders
-- What was open before the list of all that is open.
SELECT "id"::text, "lineId"
FROM "ProductionOrder"
WHERE "status" IN ('waiting', 'running')
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

-- name: close_orders
-- No event will ever close these: the log that opened them is lost.
UPDATE "ProductionOrder"
SET "status" = 'cancelled', "endTime" = %(at)s::timestamptz, "reason" = 'log_lost',
    "updatedAt" = %(at)s::timestamptz, "generation" = %(generation)s,
    "versionTime" = %(version_time)s, "versionOffset" = %(version_offset)s
WHERE "id" = ANY (%(ids)s::uuid[])

-- name: find_stops
-- What was open before the list of all that is open.
SELECT "id"::text, "lineId"
FROM "Downtime"
WHERE "endTime" IS NULL
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

-- name: close_stops
-- No event will ever close these: the log that opened them is lost.
UPDATE "Downtime"
SET "endTime" = greatest("startTime", %(at)s::timestamptz),
    "duration" = extract(epoch FROM greatest("startTime", %(at)s::timestamptz) - "startTime"),
    "reason" = coalesce("reason" || ' (log_lost)', 'log_lost'),
    "updatedAt" = %(at)s::timestamptz, "generation" = %(generation)s,
    "versionTime" = %(version_time)s, "versionOffset" = %(version_offset)s
WHERE "id" = ANY (%(ids)s::uuid[])

-- name: find_alerts
-- What was open before the list of all that is open.
SELECT "id"::text, "lineId"
FROM "Alert"
WHERE "status" = 'open'
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

-- name: close_alerts
-- No event will ever close these: the log that opened them is lost.
UPDATE "Alert"
SET "status" = 'resolved', "resolvedAt" = %(at)s::timestamptz, "reason" = 'log_lost',
    "updatedAt" = %(at)s::timestamptz, "generation" = %(generation)s,
    "versionTime" = %(version_time)s, "versionOffset" = %(version_offset)s
WHERE "id" = ANY (%(ids)s::uuid[])

-- What `linepulse doctor` and `linepulse demo` look at.

-- name: losses
-- Dead letters of the last days for records that are gone: those that name no line.
SELECT count(*), max("receivedAt")
FROM "DeadLetter"
WHERE "reason" IN ('expired', 'log_lost') AND "receivedAt" > now() - %(days)s * interval '1 day'

-- name: internal_errors
-- Records on which linepulse itself failed, of the last days.
SELECT count(*), max("receivedAt"), max("line")
FROM "DeadLetter"
WHERE "reason" = 'internal' AND "receivedAt" > now() - %(days)s * interval '1 day'

-- name: newest_sample
-- The newest row of production data.
SELECT "line", extract(epoch FROM now() - "receivedAt")::float8
FROM "ProductionData"
ORDER BY "timestamp" DESC
LIMIT 1

-- name: lines_at_present
-- Lines whose latest messages are of now; lines that are still sending stored messages are not among them.
SELECT count(DISTINCT "lineId") FROM "ProductionData" WHERE "timestamp" > now() - interval '20 seconds'

-- The stops that began in [since, until) and are over, by line, category and reason; the worst first.
-- What was not made in a stop: its required time at the rate that was expected while its order ran.
CREATE OR REPLACE FUNCTION stop_pareto(since timestamptz, until timestamptz)
RETURNS TABLE (
    "lineId" text, "line" text, "category" text, "reason" text,
    "stops" bigint, "durationSeconds" double precision, "lostSeconds" double precision,
    "lostPieces" double precision,
    "share" double precision, "cumulativeShare" double precision
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        causes."lineId", causes."line", causes."category", causes."reason",
        causes.stops, causes.duration, causes.lost, causes.lost_pieces,
        100 * causes.lost / nullif(sum(causes.lost) OVER line, 0),
        100 * CASE WHEN causes.lost IS NOT NULL THEN sum(causes.lost) OVER (
            PARTITION BY causes."lineId"
            ORDER BY causes.lost DESC NULLS LAST, causes."category", causes."reason"
        ) END / nullif(sum(causes.lost) OVER line, 0)
    FROM (
        SELECT
            by_order."lineId", max(by_order.line) AS "line", by_order."category", by_order."reason",
            sum(by_order.stops)::bigint AS stops,
            round(sum(by_order.duration) * 1e3) / 1e3 AS duration,
            -- Required time only: in a planned stop nothing was expected, and of silence nobody knows.
            CASE WHEN by_order."category" IN ('unplanned', 'micro')
                THEN round(sum(by_order.required) * 1e3) / 1e3
            END AS lost,
            -- All of it or none: a sum that leaves out a stop whose rate nobody knows would look like the whole.
            CASE WHEN by_order."category" IN ('unplanned', 'micro')
                AND bool_and(by_order.required = 0 OR coalesce(held.rate, planned.rate) IS NOT NULL)
                THEN round(sum(by_order.required * coalesce(held.rate, planned.rate, 0)) * 1e6) / 1e6
            END AS lost_pieces
        FROM (
            SELECT
                d."lineId", max(d."line") AS line, d."category", d."reason", d."orderNumber",
                count(*) AS stops, sum(d."duration") AS duration,
                -- Of stops that an earlier release told, or a lost log left, only the whole is known.
                sum(coalesce(d."requiredSeconds", d."duration")) AS required
            FROM "Downtime" d
            WHERE d."startTime" >= since AND d."startTime" < until AND d."duration" IS NOT NULL
            GROUP BY d."lineId", d."category", d."reason", d."orderNumber"
        ) by_order
        LEFT JOIN LATERAL (
            SELECT sum(k."theoreticalOutput") / nullif(sum(k."runningSeconds"), 0) AS rate  -- pieces a second
            FROM "KPISum" k
            WHERE k."lineId" = by_order."lineId" AND k."orderNumber" = by_order."orderNumber"
            HAVING sum(k."theoreticalOutput") > 0
        ) held ON true
        LEFT JOIN LATERAL (
            SELECT o."targetRate" / 60 AS rate
            FROM "ProductionOrder" o
            WHERE o."lineId" = by_order."lineId" AND o."orderNumber" = by_order."orderNumber"
            ORDER BY o."createdAt" DESC, o."id"  -- a number that came again: the newest order's
            LIMIT 1
        ) planned ON true
        GROUP BY by_order."lineId", by_order."category", by_order."reason"
    ) causes
    WINDOW line AS (PARTITION BY causes."lineId");
END

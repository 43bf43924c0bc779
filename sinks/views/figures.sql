-- The figures of sums, as rules/kpi/figures.py defines them; SQL has them nowhere else.
-- OFFSET 0: a step is computed once a row, not once in each figure that it is part of.
SELECT
    sums.*,
    round((trs * 100)::numeric, 4)::double precision AS "trs",
    round((availability * 100)::numeric, 4)::double precision AS "availability",
    round((performance * 100)::numeric, 4)::double precision AS "performance",
    round((quality * 100)::numeric, 4)::double precision AS "quality",
    round((trs * 100)::numeric, 4)::double precision AS "oee",
    why.reason AS "reason",
    round((inside * 100)::numeric, 4)::double precision AS "do",
    round((performance * "runningSeconds" / running_or_micro * 100)::numeric, 4)::double precision AS "tp",
    round((quality * 100)::numeric, 4)::double precision AS "tq",
    round((trs * required / opening * 100)::numeric, 4)::double precision AS "trg",
    round((trs * required / calendar * 100)::numeric, 4)::double precision AS "tre",
    round(("runningSeconds" / began)::numeric, 3)::double precision AS "mtbf",
    round((unplanned / began)::numeric, 3)::double precision AS "mttr"
FROM ({sums}) AS sums
CROSS JOIN LATERAL (
    SELECT
        "runningSeconds" + "microSeconds" AS running_or_micro,
        "stoppedSeconds" - "microSeconds" AS unplanned,
        "runningSeconds" + "stoppedSeconds" AS required,
        "runningSeconds" + "stoppedSeconds" + "plannedSeconds" AS opening,
        "runningSeconds" + "stoppedSeconds" + "plannedSeconds" + "closedSeconds" AS calendar
    OFFSET 0
) AS times
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN least(
            "runningSeconds", "microSeconds", unplanned, "plannedSeconds", "closedSeconds",
            "pieces", "defects", "theoreticalOutput", "realOutput", "stops"
        ) < 0 THEN 'correction'
        WHEN required = 0 THEN 'not_required'
        WHEN "runningSeconds" = 0 THEN 'not_running'
        WHEN "theoreticalOutput" < 1e-6 THEN 'no_target'
        WHEN "pieces" = 0 THEN 'no_pieces'
        WHEN "defects" > "pieces" THEN 'defects_above_pieces'
        WHEN "realOutput" > "theoreticalOutput" THEN 'above_100'
    END AS reason
    OFFSET 0
) AS why
LEFT JOIN LATERAL (
    SELECT
        "runningSeconds" / nullif(required, 0) AS availability,
        running_or_micro / nullif(required, 0) AS inside,
        CASE WHEN reason IS NULL OR reason NOT IN ('not_required', 'not_running', 'no_target')
            THEN "realOutput" / "theoreticalOutput"
        END AS performance,
        ("pieces" - "defects")::double precision / nullif("pieces", 0) AS quality,
        nullif("stops", 0) AS began
    WHERE reason IS DISTINCT FROM 'correction'
    OFFSET 0
) AS ratios ON true
CROSS JOIN LATERAL (
    SELECT CASE reason WHEN 'not_running' THEN 0 ELSE availability * performance * quality END AS trs
    OFFSET 0
) AS whole

    -- The sums of windows, and of their sums. Rounding takes away what adding doubles has put there: a sum does
    -- not depend on the order of its terms.
    round(sum("runningSeconds") * 1e3) / 1e3 AS "runningSeconds",
    round(sum("slowSeconds") * 1e3) / 1e3 AS "slowSeconds",
    round(sum("stoppedSeconds") * 1e3) / 1e3 AS "stoppedSeconds",
    round(sum("microSeconds") * 1e3) / 1e3 AS "microSeconds",
    round(sum("plannedSeconds") * 1e3) / 1e3 AS "plannedSeconds",
    round(sum("noSignalSeconds") * 1e3) / 1e3 AS "noSignalSeconds",
    round(sum("closedSeconds") * 1e3) / 1e3 AS "closedSeconds",
    round(sum("unknownSeconds") * 1e3) / 1e3 AS "unknownSeconds",
    sum("pieces")::bigint AS "pieces",
    sum("timedPieces")::bigint AS "timedPieces",
    sum("defects")::bigint AS "defects",
    round(sum("theoreticalOutput") * 1e6) / 1e6 AS "theoreticalOutput",
    round(sum("reportedOutput") * 1e6) / 1e6 AS "reportedOutput",
    round(sum("realOutput") * 1e6) / 1e6 AS "realOutput",
    sum("stops") AS "stops",
    sum("microStops") AS "microStops"

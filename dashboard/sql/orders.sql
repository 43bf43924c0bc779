-- A line's running order, those waiting in the order in which they will start, then the latest done.
(
    SELECT "orderNumber", "productType", "quantity", "produced", "defects", "status", "priority", "operator",
        "startTime", "estimatedEndTime", "endTime"
    FROM "ProductionOrder"
    WHERE "lineId" = %(line)s AND "status" IN ('running', 'waiting')
    ORDER BY "status", array_position(ARRAY['urgent', 'high', 'medium', 'low'], "priority"), "createdAt"
)
UNION ALL
(
    SELECT "orderNumber", "productType", "quantity", "produced", "defects", "status", "priority", "operator",
        "startTime", "estimatedEndTime", "endTime"
    FROM "ProductionOrder"
    WHERE "lineId" = %(line)s AND "startTime" IS NOT NULL AND "status" IN ('completed', 'cancelled')
    ORDER BY "startTime" DESC
    LIMIT %(limit)s
)

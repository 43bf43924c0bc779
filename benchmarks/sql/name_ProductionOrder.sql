-- The order that each of so many other names began by its only sample.
INSERT INTO "ProductionOrder" (
    "id", "lineId", "line", "orderNumber", "productType", "quantity", "produced", "defects", "startTime", "status",
    "priority", "createdAt", "updatedAt", "generation", "versionTime", "versionOffset"
)
SELECT
    gen_random_uuid(), 'x' || number, 'x' || number, 'ORD-' || number, 'Auto MQTT', 10000, 1, 0, %(at)s, 'running',
    'medium', %(at)s, %(at)s, 1, 0, number
FROM generate_series(1, %(names)s) AS number

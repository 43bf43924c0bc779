-- The newest row of production data.
SELECT "line", extract(epoch FROM now() - "receivedAt")::float8
FROM "ProductionData"
ORDER BY "timestamp" DESC
LIMIT 1

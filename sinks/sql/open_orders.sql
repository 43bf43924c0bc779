-- What was open before a census.
SELECT "id"::text, "lineId"
FROM "ProductionOrder"
WHERE "status" IN ('waiting', 'running')
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

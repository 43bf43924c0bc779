-- What was open before a census.
SELECT "id"::text, "lineId"
FROM "Alert"
WHERE "status" = 'open'
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

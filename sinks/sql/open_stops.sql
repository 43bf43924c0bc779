-- What was open before a census.
SELECT "id"::text, "lineId"
FROM "Downtime"
WHERE "endTime" IS NULL
    AND ("generation", "versionTime", "versionOffset")
        < (%(generation)s, %(version_time)s, %(version_offset)s)

-- Nobody will ever close these: the log that opened them is lost.
UPDATE "Downtime"
SET "endTime" = greatest("startTime", %(at)s::timestamptz),
    "duration" = extract(epoch FROM greatest("startTime", %(at)s::timestamptz) - "startTime"),
    "reason" = coalesce("reason" || ' (log_lost)', 'log_lost'),
    "updatedAt" = %(at)s::timestamptz, "generation" = %(generation)s,
    "versionTime" = %(version_time)s, "versionOffset" = %(version_offset)s
WHERE "id" = ANY (%(ids)s::uuid[])

-- Nobody will ever close these: the log that opened them is lost.
UPDATE "Alert"
SET "status" = 'resolved', "resolvedAt" = %(at)s::timestamptz, "reason" = 'log_lost',
    "updatedAt" = %(at)s::timestamptz, "generation" = %(generation)s,
    "versionTime" = %(version_time)s, "versionOffset" = %(version_offset)s
WHERE "id" = ANY (%(ids)s::uuid[])

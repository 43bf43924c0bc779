-- Records that are gone, of the last days: what tells of them has no line.
SELECT count(*), max("receivedAt")
FROM "DeadLetter"
WHERE "reason" IN ('expired', 'log_lost') AND "receivedAt" > now() - %(days)s * interval '1 day'

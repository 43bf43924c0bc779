-- Dead letters that no reading of the raw log makes: what the sinks refused, and what tells of a loss.
INSERT INTO {shadow}."DeadLetter" ({columns})
SELECT {columns}
FROM {live}."DeadLetter"
WHERE "topic" <> %(raw)s OR "reason" IN ('expired', 'log_lost')
ON CONFLICT ("id") DO NOTHING

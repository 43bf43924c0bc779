-- Of what keep_letters carries, the part that can have come since.
INSERT INTO {schema}."DeadLetter"
SELECT live.*
FROM {live}."DeadLetter" AS live
WHERE "topic" <> %(topic)s OR "reason" IN ('expired', 'log_lost')
ON CONFLICT DO NOTHING

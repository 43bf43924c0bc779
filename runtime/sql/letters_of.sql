-- Dead letters of a message; those of messages before it are told apart by what was there then.
SELECT "id"::text AS "id", "reason", "detail"
FROM "DeadLetter"
WHERE ("receivedAt" >= %(since)s OR %(since)s::timestamptz IS NULL)
  AND "lineId" = %(line)s
  AND "payload" = %(payload)s
  AND "id"::text <> ALL (%(before)s)
ORDER BY "receivedAt" DESC
LIMIT 1

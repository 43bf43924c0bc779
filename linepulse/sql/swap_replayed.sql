-- Dead letters that were played again, since they were carried over.
UPDATE {shadow}."DeadLetter" AS next
SET "replayedAt" = live."replayedAt"
FROM {live}."DeadLetter" AS live
WHERE live."id" = next."id"
  AND live."replayedAt" IS NOT NULL
  AND next."replayedAt" IS DISTINCT FROM live."replayedAt"

-- What people said of alerts is in no event yet.
UPDATE {schema}."Alert" AS kept
SET "acknowledgedAt" = live."acknowledgedAt", "acknowledgedBy" = live."acknowledgedBy"
FROM {live}."Alert" AS live
WHERE live."id" = kept."id"
  AND (live."acknowledgedAt", live."acknowledgedBy")
      IS DISTINCT FROM (kept."acknowledgedAt", kept."acknowledgedBy")

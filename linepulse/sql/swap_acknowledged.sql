-- What people said of an alert, since it was carried over.
UPDATE {shadow}."Alert" AS next
SET "acknowledgedAt" = live."acknowledgedAt", "acknowledgedBy" = live."acknowledgedBy"
FROM {live}."Alert" AS live
WHERE live."id" = next."id"
  AND live."acknowledgedAt" IS NOT NULL
  AND next."acknowledgedAt" IS DISTINCT FROM live."acknowledgedAt"

-- Records on which linepulse itself failed, of the last days.
SELECT count(*), max("receivedAt"), max("line")
FROM "DeadLetter"
WHERE "reason" = 'internal' AND "receivedAt" > now() - %(days)s * interval '1 day'

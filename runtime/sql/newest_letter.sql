-- When the newest dead letter was received: the log's time never runs backwards.
SELECT max("receivedAt") AS "since" FROM "DeadLetter"

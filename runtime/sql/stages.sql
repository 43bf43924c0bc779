-- How long ago a stage was last seen to move, and when the sinks last noted anything.
SELECT "stage", extract(epoch FROM now() - min("movedAt"))::float8, extract(epoch FROM now() - max("seenAt"))::float8
FROM "StageProgress"
GROUP BY "stage"

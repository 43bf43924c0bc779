-- How far each stage of the pipeline has come, and when it last moved.
SELECT "stage", "movedAt", "seenAt", "logTime" FROM "StageProgress"

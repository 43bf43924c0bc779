SELECT "partition", "begin", "beginTime", "nextOffset", "lastTime", "states" FROM {schema}."RebuildPartition"

SELECT coalesce(sum("refused"), 0) FROM {schema}."RebuildPartition"

SELECT "plant", "revision", "topic", "partitions", "full" FROM {schema}."Rebuild"

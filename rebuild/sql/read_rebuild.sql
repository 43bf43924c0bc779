SELECT "plant", "revision", "topic", "partitions" FROM {schema}."Rebuild"

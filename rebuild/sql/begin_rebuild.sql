INSERT INTO {schema}."Rebuild" ("generation", "plant", "revision", "topic", "partitions")
VALUES (%s, %s, %s, %s, %s)

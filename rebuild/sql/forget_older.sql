-- What an earlier try carried over: meanwhile it may have changed.
DELETE FROM {schema}.{table} WHERE "generation" < %(generation)s

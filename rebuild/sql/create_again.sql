-- Rows that may stand in the table already, in an earlier form.
CREATE TEMPORARY TABLE IF NOT EXISTS {table} (LIKE {schema}.{table}) ON COMMIT DELETE ROWS

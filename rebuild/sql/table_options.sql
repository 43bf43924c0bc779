-- Such as fillfactor, which LIKE leaves out.
SELECT option_name, option_value
FROM pg_class c, pg_options_to_table(c.reloptions)
WHERE c.oid = %s::regclass

-- Generations that are kept beside the live one, or were begun and did not go live: their sizes in bytes.
SELECT substr(n.nspname, 12)::integer AS generation, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_namespace n
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
WHERE n.nspname ~ '^generation_[0-9]{1,9}$'
GROUP BY 1
ORDER BY 1

SELECT to_regclass(format('%%I.%%I', %s::text, 'Rebuild')) IS NOT NULL

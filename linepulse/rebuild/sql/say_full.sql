UPDATE {schema}."Rebuild" SET "full" = true

-- What time it is: the one clock that all ages are counted by.
SELECT now() AS "now"

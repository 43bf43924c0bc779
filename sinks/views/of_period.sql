-- The rows of {view}, of the hours that begin in [since, until): periods that meet share none and miss none.
CREATE OR REPLACE FUNCTION {function}(since timestamptz, until timestamptz)
RETURNS SETOF {view}
LANGUAGE sql STABLE
BEGIN ATOMIC
{rows};
END

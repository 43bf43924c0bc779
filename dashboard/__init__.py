"""The page: a tile per line, its curves, stops, alerts and orders, read from PostgreSQL and pushed live."""

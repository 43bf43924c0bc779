-- Keys and indexes come by their own names, later where that is cheaper.
CREATE TABLE {schema}.{table} (LIKE {live}.{table} INCLUDING ALL EXCLUDING INDEXES)

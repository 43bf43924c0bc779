"""The shadow tables: a schema of their own, the same tables, keys and indexes under the same names."""

import psycopg
from psycopg import sql

from runtime.sql import composed, statement
from sinks.sums import sum_all
from sinks.tables import KPI_SUM, PRODUCTION_DATA, TABLES

# Nothing looks up rows that never change while they are written: their key is made afterwards.
KEYED_LATER = (PRODUCTION_DATA,)
SUMS = KPI_SUM
BUILD_MEMORY = "256MB"


def schema_of(generation: int) -> str:
    """The schema that holds the tables of a generation while they are not live."""
    return f"generation_{generation}"


def exists(connection: psycopg.Connection, schema: str) -> bool:
    """Whether the schema exists and was made by a rebuild."""
    row = connection.execute(statement("rebuild.schema_exists"), [schema]).fetchone()
    return row is not None and bool(row[0])


def create(connection: psycopg.Connection, schema: str) -> None:
    """Make the schema anew, with empty tables and those that record the rebuild's progress."""
    live = live_schema(connection)
    drop(connection, schema)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for table in TABLES:
        connection.execute(composed("rebuild.create_table", schema=schema, table=table.name, live=live))
        _copy_options(connection, schema, table.name)
        if table not in KEYED_LATER:
            _add_keys(connection, schema, table.name)
    connection.execute(composed("rebuild.create_progress", schema=schema))


def differences(connection: psycopg.Connection, schema: str) -> list[str]:
    """How the tables' definitions differ from the live ones, except for indexes that `finish` makes."""
    compared = {"tables": [table.name for table in TABLES], "shadow": sql.Identifier(schema).as_string()}
    found = [row[0] for row in connection.execute(statement("swap.differences"), compared).fetchall()]
    return [each for each in found if ": only the live one has CREATE " not in each]


def finish(connection: psycopg.Connection, schema: str) -> None:
    """Make the keys and indexes that the tables do not have yet, and update the planner's statistics."""
    connection.execute(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(BUILD_MEMORY)))
    for table in TABLES:
        if table in KEYED_LATER:
            _add_keys(connection, schema, table.name)
        _add_indexes(connection, schema, table.name)
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table.name)))


def sum_up(connection: psycopg.Connection, schema: str) -> None:
    """Make the sums of the windows, which roll-ups read, from the windows as they are now."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, SUMS)))
    connection.execute(
        composed("rebuild.create_table", schema=schema, table=SUMS, live=live_schema(connection))
    )
    _copy_options(connection, schema, SUMS)
    sum_all(connection, schema)
    _add_keys(connection, schema, SUMS)
    _add_indexes(connection, schema, SUMS)
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, SUMS)))


def drop(connection: psycopg.Connection, schema: str) -> None:
    """Drop the schema and everything in it."""
    connection.execute(sql.SQL("SET LOCAL client_min_messages = warning"))
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def live_schema(connection: psycopg.Connection) -> str:
    """The schema that holds the live tables."""
    row = connection.execute("SELECT current_schema()").fetchone()
    assert row is not None
    return str(row[0])


def _copy_options(connection: psycopg.Connection, schema: str, table: str) -> None:
    for name, value in connection.execute(statement("rebuild.table_options"), [_live(table)]).fetchall():
        connection.execute(
            sql.SQL("ALTER TABLE {} SET ({} = {})").format(
                sql.Identifier(schema, table), sql.Identifier(name), sql.Literal(value)
            )
        )


def _add_keys(connection: psycopg.Connection, schema: str, table: str) -> None:
    present = _constraints(connection, sql.Identifier(schema, table).as_string(connection))
    for name, definition in _constraints(connection, _live(table)).items():
        if name not in present:
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                    sql.Identifier(schema, table), sql.Identifier(name), _trusted(definition)
                )
            )


def _add_indexes(connection: psycopg.Connection, schema: str, table: str) -> None:
    for name, unique, rest in connection.execute(
        statement("rebuild.table_indexes"), [_live(table)]
    ).fetchall():
        connection.execute(
            sql.SQL("CREATE {} IF NOT EXISTS {} ON {} {}").format(
                sql.SQL("UNIQUE INDEX" if unique else "INDEX"),
                sql.Identifier(name),
                sql.Identifier(schema, table),
                _trusted(rest),
            )
        )


def _constraints(connection: psycopg.Connection, name: str) -> dict[str, str]:
    return dict(connection.execute(statement("rebuild.table_constraints"), [name]).fetchall())


def _live(table: str) -> str:
    """The live table, as `regclass` reads it: the search path finds it."""
    return sql.Identifier(table).as_string()


def _trusted(definition: str) -> sql.SQL:
    """The definition of a key or an index, as PostgreSQL itself wrote it from its catalogue."""
    return sql.SQL(definition)

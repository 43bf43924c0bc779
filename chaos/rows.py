"""Reads PostgreSQL's rows as a stream, each value in the form that it has in events."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from chaos.expected import Row, columns
from rebuild.shadow import SUMS
from sinks.sums import summed
from sinks.tables import KPI_SNAPSHOT, Table

AT_ONCE = 5000
Side = dict[str, Any] | None
INSTANT = "timestamp with time zone"
AS_TEXT = {"uuid", "date"}
SIDE_BY_SIDE = """
    SELECT to_jsonb(kept), to_jsonb(made)
    FROM {sums} AS kept
    FULL JOIN ({summed}) AS made USING ("lineId", "hour", "part")
"""


async def types(connection: psycopg.AsyncConnection, table: Table) -> dict[str, str]:
    """The type of each column of a table, as PostgreSQL names it."""
    found = await connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s",
        [table.name],
    )
    return dict(await found.fetchall())


async def rows(
    connection: psycopg.AsyncConnection, table: Table, ids: Sequence[str] | None = None
) -> AsyncIterator[Row]:
    """The rows of a table, columns as `columns` says; with `ids`, only these."""
    known = await types(connection, table)
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(_read(column, known[column]) for column in columns(table)),
        sql.Identifier(table.name),
    )
    if ids is not None:
        query += sql.SQL(" WHERE id = ANY({}::uuid[])").format(sql.Literal(list(ids)))
    async with connection.cursor(name="judge", binary=True) as cursor:
        await cursor.execute(query)
        while some := await cursor.fetchmany(AT_ONCE):
            for row in some:
                yield row


async def sums(connection: psycopg.AsyncConnection) -> list[tuple[Side, Side]]:
    """The sums by hour, as kept and as made from the windows now; None if a side has no such row."""
    query = sql.SQL(SIDE_BY_SIDE).format(sums=sql.Identifier(SUMS), summed=summed(KPI_SNAPSHOT.name))
    return await (await connection.execute(query)).fetchall()


def _read(column: str, kind: str) -> sql.Composable:
    """A column as events write it."""
    name = sql.Identifier(column)
    if kind == INSTANT:
        form = sql.Literal('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        return sql.SQL("to_char({} AT TIME ZONE 'UTC', {})").format(name, form)
    return sql.SQL("{}::text").format(name) if kind in AS_TEXT else name

"""Rows that a lost log left open: closed once a census says what is open still."""

import psycopg
from aiokafka.partitioner import DefaultPartitioner

from runtime.sql import statement
from schemas.events import OpenRowsEvent
from sinks.tables import Table


async def close_lost(
    connection: psycopg.AsyncConnection, table: Table, census: OpenRowsEvent, partitions: int
) -> int:
    """Close the rows of the census' partition that are open, older than it, and not in it.

    Args:
        partitions: how many partitions there are; they tell which lines are meant.
    Returns:
        How many rows were closed.
    """
    if table.open_rows is None:
        return 0
    version = {
        "generation": census.generation,
        "version_time": census.version[0],
        "version_offset": census.version[1],
    }
    found = await connection.execute(statement(table.open_rows.find), version)
    place, every, known = DefaultPartitioner(), list(range(partitions)), set(census.open)
    ids = [
        row_id
        for row_id, line_id in await found.fetchall()
        if row_id not in known and place(line_id.encode(), every, every) == census.partition
    ]
    if ids:
        await connection.execute(statement(table.open_rows.close), {**version, "at": census.at, "ids": ids})
    return len(ids)

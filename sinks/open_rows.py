"""Closes rows that a lost log left open, by the stream stage's list of what is still open."""

import psycopg
from aiokafka.partitioner import DefaultPartitioner

from runtime.sql import statement
from schemas.events import OpenRowsEvent
from sinks.tables import Table


async def close_lost(
    connection: psycopg.AsyncConnection, table: Table, still_open: OpenRowsEvent, partitions: int
) -> int:
    """Close the rows of the list's partition that are open, older than the list, and not in it.

    Args:
        partitions: the number of partitions, from which a line's own follows.
    Returns:
        How many rows were closed.
    """
    if table.open_rows is None:
        return 0
    version = {
        "generation": still_open.generation,
        "version_time": still_open.version[0],
        "version_offset": still_open.version[1],
    }
    found = await connection.execute(statement(table.open_rows.find), version)
    partition_of, numbers, listed = DefaultPartitioner(), list(range(partitions)), set(still_open.open)
    ids = [
        row_id
        for row_id, line_id in await found.fetchall()
        if row_id not in listed and partition_of(line_id.encode(), numbers, numbers) == still_open.partition
    ]
    if ids:
        closing = {**version, "at": still_open.at, "ids": ids}
        await connection.execute(statement(table.open_rows.close), closing)
    return len(ids)

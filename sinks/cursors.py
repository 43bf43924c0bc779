"""How far the events of each partition are written: `SinkCursor`, the only authority on it."""

from collections.abc import Mapping, Sequence

import psycopg
from aiokafka import ConsumerRecord
from faust.types import TP

from runtime.sql import statement
from schemas.events import DeadLetterEvent
from sinks.database import Database
from sinks.decode import encode, time_of
from sinks.tables import DEAD_LETTER


async def read_or_begin(connection: psycopg.AsyncConnection, partitions: Sequence[TP]) -> Mapping[TP, int]:
    """The next offset of each partition; those without a row get one, at 0. Commits."""
    parameters = _parameters(partitions)
    await connection.execute(statement("cursors.begin"), parameters)
    cursor = await connection.execute(statement("cursors.read"), parameters)
    rows = await cursor.fetchall()
    await connection.commit()
    return {TP(topic, partition): offset for topic, partition, offset in rows}


async def lock(
    connection: psycopg.AsyncConnection, expected: Mapping[TP, int]
) -> psycopg.AsyncCursor[tuple[str, int]]:
    """Lock the cursors that are where they are expected, until the transaction's end: their partitions.

    A worker whose batch begins elsewhere has no right to write it.
    """
    parameters = {**_parameters([*expected]), "expected": [*expected.values()]}
    return await connection.execute(statement("cursors.lock"), parameters)


async def move(connection: psycopg.AsyncConnection, applied: Sequence[ConsumerRecord]) -> None:
    """Move cursors that are locked behind the last record that was applied in each partition."""
    parameters = {
        **_parameters([TP(record.topic, record.partition) for record in applied]),
        "next": [record.offset + 1 for record in applied],
        "times": [time_of(record) for record in applied],
    }
    await connection.execute(statement("cursors.move"), parameters)


class Cursors:
    """Reads and begins cursors; `transaction.write` moves them, with the rows. A `runtime.batches.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """The next offset to apply in each partition; new ones begin at 0, the start of their log.

        Raises:
            Unavailable: PostgreSQL does not answer now.
        """
        async with self._database.transaction() as connection:
            return await read_or_begin(connection, partitions)

    async def last_times(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """The time (ms) of the last record that was applied in each partition, where there is one.

        Raises:
            Unavailable: PostgreSQL does not answer now.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.execute(statement("cursors.times"), _parameters(partitions))
            rows = await cursor.fetchall()
        return {TP(topic, partition): time for topic, partition, time in rows}

    async def jump(self, tp: TP, expected: int, to: int, letter: DeadLetterEvent) -> bool:
        """Move the cursor past lost events, and write the dead letter that reports them.

        Returns:
            False if the cursor is not where it was expected: nothing is done.
        Raises:
            Unavailable: PostgreSQL does not answer now.
        """
        where = {"topic": tp.topic, "partition": tp.partition, "expected": expected, "next": to}
        async with self._database.transaction() as connection:
            moved = await connection.execute(statement("cursors.jump"), where)
            if moved.rowcount == 1:
                await connection.execute(DEAD_LETTER.write_statement, [encode([letter])])
                await connection.commit()
        return moved.rowcount == 1


def _parameters(partitions: Sequence[TP]) -> dict[str, Sequence[str] | Sequence[int]]:
    return {
        "topics": [tp.topic for tp in partitions],
        "partitions": [tp.partition for tp in partitions],
    }

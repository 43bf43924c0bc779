"""Rows that the log no longer holds: carried over from the live tables as they are."""

from collections.abc import Mapping

import psycopg
from aiokafka.partitioner import DefaultPartitioner
from psycopg import sql

from rebuild.checkpoint import Checkpoint
from rebuild.shadow import live_schema, schema_of
from rules.partition import PARTITION
from runtime.sql import composed, statement
from schemas.instant import text_of
from sinks.tables import DEAD_LETTER, PRODUCTION_DATA, TABLES

NOTHING_READ = "infinity"


def note_reach(
    connection: psycopg.Connection, checkpoints: Mapping[int, Checkpoint], partitions: int
) -> None:
    """Note for this session what was read, and which lines that concerns (temporary tables)."""
    connection.execute(statement("carry.create_reach"))
    reach = [
        (at.partition, at.begin, _begin_time(at), at.next_offset, _own_time(at))
        for at in checkpoints.values()
    ]
    known = {state.line_id for at in checkpoints.values() for state in at.states}
    for table in TABLES:
        if table is not DEAD_LETTER:  # its rows name their partition, and topics that are no line's
            found = connection.execute(composed("carry.lines_of_table", table=table.name)).fetchall()
            known.update(row[0] for row in found)
    partition_of, every = DefaultPartitioner(), list(range(partitions))
    lines = [(line, partition_of(line.encode(), every, every)) for line in known - {PARTITION}]
    with connection.cursor() as cursor:
        for name, rows in (("RebuildReach", reach), ("RebuildLine", lines)):
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                for row in rows:
                    copy.write_row(row)


def carry_over(connection: psycopg.Connection, generation: int, topic: str) -> None:
    """Copy into the tables of a generation what only the live ones hold, as they hold it now.

    These are rows that began before the log does, dead letters that no record made, and what people noted
    beside rows. What was open and began before the log does is closed with the reason `log_lost`, as where a
    log is lost: no line's state has it any more. Of a stop or window that spans the beginning of the log,
    only the live row is kept. `note_reach` must have been called in this session.
    """
    schemas = {"schema": schema_of(generation), "live": live_schema(connection)}
    own = {"generation": generation}
    for table in TABLES:
        if table.versioned:
            connection.execute(
                composed("carry.forget_older", schema=schemas["schema"], table=table.name), own
            )
        if table is not DEAD_LETTER:
            data = table is PRODUCTION_DATA
            connection.execute(
                composed(
                    "carry.keep_older",
                    table=table.name,
                    began="receivedAt" if data else "createdAt",
                    # A sample is of one record. One with the time of the log's first may be older than it.
                    inclusive=sql.Literal(data),
                    **schemas,
                )
            )
    for table in TABLES:
        if table.lasts is not None:
            start, end = table.lasts
            repeated = composed("carry.forget_repeated", table=table.name, start=start, end=end, **schemas)
            connection.execute(repeated, own)
    for name in ("carry.close_orders", "carry.close_stops", "carry.close_alerts"):
        connection.execute(composed(name, schema=schemas["schema"]), own)
    carry_notes(connection, generation, topic)


def carry_notes(connection: psycopg.Connection, generation: int, topic: str) -> None:
    """Copy what can still change while the live tables are in use; the swap does so once more."""
    schemas = {"schema": schema_of(generation), "live": live_schema(connection)}
    connection.execute(composed("carry.keep_letters", **schemas), {"topic": topic})
    connection.execute(composed("carry.keep_acknowledged", **schemas))
    connection.execute(composed("carry.keep_replayed", **schemas))


def _begin_time(at: Checkpoint) -> str:
    return NOTHING_READ if at.begin_time is None else text_of(at.begin_time)


def _own_time(at: Checkpoint) -> str:
    """The highest time that the partition has seen."""
    return NOTHING_READ if at.begin_time is None else text_of(max(state.received_at for state in at.states))

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


def note_reach(connection: psycopg.Connection, stand: Mapping[int, Checkpoint], partitions: int) -> None:
    """Note for this session what was read, and which lines that concerns (temporary tables)."""
    connection.execute(statement("carry.create_reach"))
    reach = [
        (at.partition, at.begin, _begin_time(at), at.next_offset, _own_time(at)) for at in stand.values()
    ]
    known = {state.line_id for at in stand.values() for state in at.states}
    for table in TABLES:
        if table is not DEAD_LETTER:  # it has its partition, and names that are no line's
            found = connection.execute(composed("carry.lines_of_table", table=table.name)).fetchall()
            known.update(row[0] for row in found)
    place, every = DefaultPartitioner(), list(range(partitions))
    lines = [(line, place(line.encode(), every, every)) for line in known - {PARTITION}]
    with connection.cursor() as cursor:
        for name, rows in (("RebuildReach", reach), ("RebuildLine", lines)):
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                for row in rows:
                    copy.write_row(row)


def carry_over(connection: psycopg.Connection, generation: int, topic: str) -> None:
    """Put into the tables of a generation what only the live ones know, as they know it now.

    `note_reach` comes before. That is: rows that began before the log does, dead letters that no record
    made, and what people noted beside rows. What was open and began before the log does is closed with the
    reason `log_lost`, as where a log is lost: no line knows of it any more. Stops and windows that went on
    where the log begins stand once, as they are.
    """
    places = {"schema": schema_of(generation), "live": live_schema(connection)}
    own = {"generation": generation}
    for table in TABLES:
        if table.versioned:
            connection.execute(composed("carry.forget_older", schema=places["schema"], table=table.name), own)
        if table is not DEAD_LETTER:
            data = table is PRODUCTION_DATA
            connection.execute(
                composed(
                    "carry.keep_older",
                    table=table.name,
                    began="receivedAt" if data else "createdAt",
                    # Its rows can be of a record alone: one that has the first one's time and is not here.
                    inclusive=sql.Literal(data),
                    **places,
                )
            )
    for table in TABLES:
        if table.lasts is not None:
            start, end = table.lasts
            repeated = composed("carry.forget_repeated", table=table.name, start=start, end=end, **places)
            connection.execute(repeated, own)
    for name in ("carry.close_orders", "carry.close_stops", "carry.close_alerts"):
        connection.execute(composed(name, schema=places["schema"]), own)
    carry_notes(connection, generation, topic)


def carry_notes(connection: psycopg.Connection, generation: int, topic: str) -> None:
    """The part that can still change while the live tables are live: once more within the swap."""
    places = {"schema": schema_of(generation), "live": live_schema(connection)}
    connection.execute(composed("carry.keep_letters", **places), {"topic": topic})
    connection.execute(composed("carry.keep_acknowledged", **places))
    connection.execute(composed("carry.keep_replayed", **places))


def _begin_time(at: Checkpoint) -> str:
    return NOTHING_READ if at.begin_time is None else text_of(at.begin_time)


def _own_time(at: Checkpoint) -> str:
    """The highest time that the partition has seen."""
    return NOTHING_READ if at.begin_time is None else text_of(max(state.received_at for state in at.states))

"""One transaction moves the cursors of several partitions and writes their events as rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from aiokafka import ConsumerRecord
from faust.types import TP

from runtime.sql import statement
from schemas.events import DeadLetterEvent, Event
from sinks.cursors import lock, move, read_or_begin
from sinks.database import Database
from sinks.decode import dead_letter, encode
from sinks.sink import Part, Put, Sink, applicable
from sinks.tables import DEAD_LETTER

Place = tuple[str, int, int]  # topic, partition, offset


class Portion(NamedTuple):
    """Contiguous records of one partition, and the sink of their topic."""

    sink: Sink
    records: Sequence[ConsumerRecord]

    @property
    def tp(self) -> TP:
        return TP(self.records[0].topic, self.records[0].partition)


@dataclass(frozen=True)
class Written:
    """What became of a portion.

    Attributes:
        cursor: the next offset to apply, as PostgreSQL has it now. At the portion's end: all is applied.
            Within it: the rest waits for a generation that is not live yet. Elsewhere: another worker moved
            it, or the database was restored, and nothing was written.
        added: the ids of rows of its table that are new, where rows change.
        events: those that became rows, in the log's order.
        letters: dead letters that were made here.
        ignored: how many events were of a generation that was replaced.
        applied: how many were of the live one.
        lacks: the columns that the event at the cursor, sent by an older release, lacks; a rebuild must make
            the rows of its generation anew.
    """

    cursor: int
    added: frozenset[str] = frozenset()
    events: Sequence[Event] = ()
    letters: Sequence[DeadLetterEvent] = ()
    ignored: int = 0
    applied: int = 0
    lacks: tuple[str, ...] = ()


class Stored(NamedTuple):
    """What a transaction did: to each portion, and how many rows of each table it added or changed."""

    written: Sequence[Written]
    rows: Mapping[str, int]


async def write(database: Database, portions: Sequence[Portion], lang: str) -> Stored:
    """Apply portions, each of another partition, in one transaction.

    A portion that does not begin at its cursor is left out; the others are written.

    Args:
        lang: the language of dead letters.
    Raises:
        Unavailable: PostgreSQL can't take them now; nothing is lost, try again later.
    """
    decoded = [portion.sink.read(portion.records) for portion in portions]
    async with database.transaction() as connection:
        ours, live = await _begin(connection, portions)
        parts = {
            portion.tp: applicable(portion.records, events, live)
            for portion, events in zip(portions, decoded, strict=True)
            if portion.tp in ours
        }
        puts = await _put(connection, portions, parts)
        letters = _letters(parts.values(), puts.values(), lang)
        if letters:
            await connection.execute(DEAD_LETTER.write_statement, [encode([*letters.values()])])
        last = [
            portion.records[parts[portion.tp].size - 1]
            for portion in portions
            if portion.tp in parts and parts[portion.tp].size
        ]
        if last:
            await move(connection, last)
        await connection.commit()
        elsewhere = [portion.tp for portion in portions if portion.tp not in ours]
        cursors = await read_or_begin(connection, elsewhere) if elsewhere else {}
    written = [
        _written(portion, parts[portion.tp], puts[portion.sink.table.name], letters)
        if portion.tp in ours
        else Written(cursors[portion.tp])
        for portion in portions
    ]
    return Stored(written, {table: put.rows for table, put in puts.items()})


async def _begin(
    connection: psycopg.AsyncConnection, portions: Sequence[Portion]
) -> tuple[set[TP], int | None]:
    """Lock the cursors: the partitions whose cursor is where the portion begins, and the live generation."""
    begins = {portion.tp: int(portion.records[0].offset) for portion in portions}
    async with connection.pipeline():
        locked = await lock(connection, begins)
        live = await connection.execute(statement("generation.live"))
        row = await live.fetchone()
        ours = {TP(topic, partition) for topic, partition in await locked.fetchall()}
    return ours, None if row is None else row[0]


async def _put(
    connection: psycopg.AsyncConnection, portions: Sequence[Portion], parts: Mapping[TP, Part]
) -> dict[str, Put]:
    """Write the parts, one table after the other; the outcome by table."""
    by_sink: dict[Sink, list[Part]] = {}
    for portion in portions:
        if portion.tp in parts:
            by_sink.setdefault(portion.sink, []).append(parts[portion.tp])
    return {sink.table.name: await sink.put(connection, some) for sink, some in by_sink.items()}


def _letters(parts: Iterable[Part], puts: Iterable[Put], lang: str) -> dict[Place, DeadLetterEvent]:
    """The dead letters, by the place of their record: of records that are no events, and of refused rows."""
    poisons = [
        *(poison for part in parts for poison in part.poisons),
        *(refusal for put in puts for refusal in put.refusals),
    ]
    return {_place(record): dead_letter(record, poison, lang) for record, poison in poisons}


def _written(portion: Portion, part: Part, put: Put, letters: Mapping[Place, DeadLetterEvent]) -> Written:
    applied = len(part.rows) + len(part.open_rows)
    return Written(
        cursor=portion.records[0].offset if part.size == 0 else portion.records[part.size - 1].offset + 1,
        added=put.added,
        events=[row.event for row in part.rows if _place(row.record) not in letters],
        letters=[letters[_place(record)] for record in portion.records if _place(record) in letters],
        ignored=part.size - applied - len(part.poisons),
        applied=applied,
        lacks=part.lacks,
    )


def _place(record: ConsumerRecord) -> Place:
    return record.topic, record.partition, record.offset

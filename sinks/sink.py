"""One transaction moves the cursor and writes a batch of events as rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from aiokafka import ConsumerRecord
from faust.types import TP

from runtime.sql import statement
from schemas.errors import Poison, Unavailable
from schemas.events import DeadLetterEvent, Event, OpenRowsEvent
from sinks.copy_text import copy_text
from sinks.cursors import read_or_begin
from sinks.database import Database
from sinks.decode import Decoded, OlderReleaseEvent, Reader, dead_letter, encode, refused, time_of
from sinks.halving import Halving, is_refusal
from sinks.open_rows import close_lost
from sinks.tables import DEAD_LETTER, Table


@dataclass(frozen=True)
class Written:
    """What a transaction did.

    Attributes:
        cursor: the next offset to apply, as PostgreSQL has it now. At the batch's end: all is applied. Within
            the batch: the rest waits for a generation that is not live yet. Elsewhere: another worker moved
            it, or the database was restored, and nothing was written.
        rows: how many rows were added or changed.
        added: the ids of the rows that are new, of tables whose rows change.
        events: those that became rows, in the log's order.
        letters: dead letters that were made here.
        ignored: how many events were of a generation that was replaced.
        applied: how many were of the live one.
        lacks: the columns that the event at the cursor, sent by an older release, lacks; a rebuild must make
            the rows of its generation anew.
    """

    cursor: int
    rows: int = 0
    added: frozenset[str] = frozenset()
    events: Sequence[Event] = ()
    letters: Sequence[DeadLetterEvent] = ()
    ignored: int = 0
    applied: int = 0
    lacks: tuple[str, ...] = ()


class Row(NamedTuple):
    """An event, and the record that it came in."""

    record: ConsumerRecord
    event: Event


class _Put(NamedTuple):
    """The result of writing rows: how many were written, which are new, which PostgreSQL refused."""

    rows: int = 0
    added: frozenset[str] = frozenset()
    refusals: tuple[tuple[ConsumerRecord, Poison], ...] = ()

    def and_then(self, other: "_Put") -> "_Put":
        return _Put(self.rows + other.rows, self.added | other.added, self.refusals + other.refusals)


@dataclass
class _Part:
    """The first part of a batch: what can be applied under the live generation."""

    size: int = 0  # records, including the ignored ones
    rows: list[Row] = field(default_factory=list)
    open_rows: list[OpenRowsEvent] = field(default_factory=list)
    poisons: list[tuple[ConsumerRecord, Poison]] = field(default_factory=list)
    lacks: tuple[str, ...] = ()


class Sink:
    """Writes the events of one topic to their table."""

    def __init__(self, database: Database, table: Table, lang: str, partitions: int) -> None:
        self._database = database
        self._partitions = partitions
        self.table = table
        self._lang = lang
        self._reader = Reader(table.event)

    async def write(self, records: Sequence[ConsumerRecord]) -> Written:
        """Apply contiguous records of one partition.

        Raises:
            Unavailable: PostgreSQL can't take them now; nothing is lost, try again later.
        """
        decoded = self._reader.read(records)
        first, after = records[0].offset, records[-1].offset + 1
        async with self._database.transaction() as connection:
            moved, live = await self._begin(connection, records)
            if not moved:
                await connection.rollback()
                tp = TP(records[0].topic, records[0].partition)
                return Written((await read_or_begin(connection, [tp]))[tp])
            part = _applicable(records, decoded, live)
            if part.size == 0:
                return Written(first, lacks=part.lacks)
            put = await self._put(connection, part.rows)
            for still_open in part.open_rows:  # after the rows: those of a higher version are left alone
                closed = await close_lost(connection, self.table, still_open, self._partitions)
                put = put.and_then(_Put(closed))
            letters = [
                dead_letter(record, poison, self._lang) for record, poison in (*part.poisons, *put.refusals)
            ]
            if letters:
                await connection.execute(DEAD_LETTER.write_statement, [encode(letters)])
            if part.size < len(records):
                after = records[part.size].offset
                await connection.execute(
                    statement("cursors.move"), _move(records[: part.size], expected=records[-1].offset + 1)
                )
            await connection.commit()
        refused_at = {record.offset for record, _ in put.refusals}
        events = [row.event for row in part.rows if row.record.offset not in refused_at]
        applied = len(part.rows) + len(part.open_rows)
        ignored = part.size - applied - len(part.poisons)
        return Written(after, put.rows, put.added, events, letters, ignored, applied)

    async def _begin(
        self, connection: psycopg.AsyncConnection, records: Sequence[ConsumerRecord]
    ) -> tuple[bool, int | None]:
        """Move the cursor to the batch's end: whether it was at its beginning, and the live generation."""
        async with connection.pipeline():
            moved = await connection.execute(
                statement("cursors.move"), _move(records, expected=records[0].offset)
            )
            live = await connection.execute(statement("generation.live"))
            await connection.execute(statement("rows.savepoint"))
            row = await live.fetchone()
        return moved.rowcount == 1, None if row is None else row[0]

    async def _put(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> _Put:
        """Write all rows but those that can't be written. A savepoint was just set.

        Of several versions of a row only the highest is sent to PostgreSQL; if it is refused, the earlier
        ones are sent with a half of the rows.
        """
        done, parts, copy = _Put(), Halving(rows), self.table.copy
        for part in parts:
            try:
                done = done.and_then(await (self._copy if copy else self._upsert)(connection, part))
            except (Unavailable, OSError, MemoryError):
                raise
            except Exception as error:  # PostgreSQL refuses a row, or a row can't be encoded for it
                if isinstance(error, psycopg.Error) and not is_refusal(error):
                    raise
                await connection.execute(statement("rows.back_to_savepoint"))
                if copy:  # most likely some of the rows exist already
                    copy = False
                    parts.repeat(part)
                else:
                    parts.refuse(part, error)
            else:
                if parts:
                    await connection.execute(statement("rows.savepoint"))
        refusals = tuple((row.record, refused(error)) for row, error in parts.refused)
        return done.and_then(_Put(refusals=refusals))

    async def _copy(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> _Put:
        async with connection.cursor() as cursor:
            async with cursor.copy(self.table.copy_statement) as copy:
                await copy.write(copy_text(self.table.line(row.event) for row in rows))
            return _Put(cursor.rowcount)

    async def _upsert(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> _Put:
        sent = _latest(rows) if self.table.versioned else rows
        # Events are sent as the bytes of their records: PostgreSQL parses JSON itself.
        array = b"[" + b",".join([row.record.value for row in sent]) + b"]"
        written = await connection.execute(self.table.write_statement, [array.decode()])
        added = await written.fetchall() if self.table.versioned else []
        if self.table.sums is not None:
            await connection.execute(self.table.sums, [array.decode()])
        return _Put(written.rowcount, frozenset(row_id for row_id, is_new in added if is_new))


def _applicable(records: Sequence[ConsumerRecord], decoded: Sequence[Decoded], live: int | None) -> _Part:
    """The records up to the first that waits for a swap; those of a generation that was replaced are ignored.

    An event waits if it is of a later generation, or of the live one and sent by an older release.
    """
    part = _Part()
    if live is None:
        return part
    for record, event in zip(records, decoded, strict=True):
        if isinstance(event, Poison):
            part.poisons.append((record, event))
        elif event.generation > live:
            break
        elif isinstance(event, OlderReleaseEvent):
            if event.generation == live:
                part.lacks = event.lacks
                break
        elif event.generation == live and isinstance(event, OpenRowsEvent):
            part.open_rows.append(event)
        elif event.generation == live:
            part.rows.append(Row(record, event))
        part.size += 1
    return part


def _latest(rows: Sequence[Row]) -> list[Row]:
    """The highest version of each row: one statement can't change a row twice."""
    latest: dict[str, Row] = {}
    for row in rows:
        known = latest.get(row.event.id)
        if known is None or known.event.version <= row.event.version:
            latest[row.event.id] = row
    return list(latest.values())


def _move(records: Sequence[ConsumerRecord], expected: int) -> dict[str, str | int]:
    last = records[-1]
    return {
        "topic": last.topic,
        "partition": last.partition,
        "expected": expected,
        "next": last.offset + 1,
        "time": time_of(last),
    }

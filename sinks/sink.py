"""Writes the events of one topic as rows of their table, within a transaction that somebody else began."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from aiokafka import ConsumerRecord

from runtime.sql import statement
from schemas.errors import Poison, Unavailable
from schemas.events import Event, OpenRowsEvent
from sinks.copy_text import copy_text
from sinks.decode import Decoded, OlderReleaseEvent, Reader, refused
from sinks.halving import Halving, is_refusal
from sinks.open_rows import close_lost
from sinks.tables import Table


class Row(NamedTuple):
    """An event, and the record that it came in."""

    record: ConsumerRecord
    event: Event


class Put(NamedTuple):
    """The result of writing rows: how many were written, which are new, which PostgreSQL refused."""

    rows: int = 0
    added: frozenset[str] = frozenset()
    refusals: tuple[tuple[ConsumerRecord, Poison], ...] = ()

    def and_then(self, other: "Put") -> "Put":
        return Put(self.rows + other.rows, self.added | other.added, self.refusals + other.refusals)


@dataclass
class Part:
    """The first part of a batch: what can be applied under the live generation."""

    size: int = 0  # records, including the ignored ones
    rows: list[Row] = field(default_factory=list)
    open_rows: list[OpenRowsEvent] = field(default_factory=list)
    poisons: list[tuple[ConsumerRecord, Poison]] = field(default_factory=list)
    lacks: tuple[str, ...] = ()


class Sink:
    """Writes the events of one topic to their table."""

    def __init__(self, table: Table, partitions: int) -> None:
        self._partitions = partitions
        self.table = table
        self._reader = Reader(table.event)

    def read(self, records: Sequence[ConsumerRecord]) -> Sequence[Decoded]:
        """The events of records, in their order."""
        return self._reader.read(records)

    async def put(self, connection: psycopg.AsyncConnection, parts: Sequence[Part]) -> Put:
        """Write the rows of parts of several partitions, all but those that can't be written.

        Of several versions of a row only the highest is sent to PostgreSQL; if it is refused, the earlier
        ones are sent with a half of the rows.
        """
        put = await self._put(connection, [row for part in parts for row in part.rows])
        for part in parts:
            for still_open in part.open_rows:  # after the rows: those of a higher version are left alone
                closed = await close_lost(connection, self.table, still_open, self._partitions)
                put = put.and_then(Put(closed))
        return put

    async def _put(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> Put:
        done, parts, copy = Put(), Halving(rows), self.table.copy
        for part in parts:
            await connection.execute(statement("rows.savepoint"))
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
        refusals = tuple((row.record, refused(error)) for row, error in parts.refused)
        return done.and_then(Put(refusals=refusals))

    async def _copy(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> Put:
        async with connection.cursor() as cursor:
            async with cursor.copy(self.table.copy_statement) as copy:
                await copy.write(copy_text(self.table.line(row.event) for row in rows))
            return Put(cursor.rowcount)

    async def _upsert(self, connection: psycopg.AsyncConnection, rows: Sequence[Row]) -> Put:
        sent = _latest(rows) if self.table.versioned else rows
        # Events are sent as the bytes of their records: PostgreSQL parses JSON itself.
        array = b"[" + b",".join([row.record.value for row in sent]) + b"]"
        written = await connection.execute(self.table.write_statement, [array.decode()])
        added = await written.fetchall() if self.table.versioned else []
        if self.table.sums is not None:
            await connection.execute(self.table.sums, [array.decode()])
        return Put(written.rowcount, frozenset(row_id for row_id, is_new in added if is_new))


def applicable(records: Sequence[ConsumerRecord], decoded: Sequence[Decoded], live: int | None) -> Part:
    """The records up to the first that waits for a swap; those of a generation that was replaced are ignored.

    An event waits if it is of a later generation, or of the live one and sent by an older release.
    """
    part = Part()
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

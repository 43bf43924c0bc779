"""The judge: compares PostgreSQL with the ledger and the log, to the row and the column.

In three ways: each message of the ledger is there as often as it must be (`count`), each row is that of the
product's own fold over the tape (`expected`), and rows add up to what was published (`oracle`, `sums`), where
a wrong rule of the fold shows.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from chaos.count import Count
from chaos.expected import Expected, Row, columns, digest, fold_tape
from chaos.ledger import Ledger
from chaos.losses import REASONS as LOSS_REASONS
from chaos.oracle import expected_sums
from chaos.rows import rows, sums
from chaos.sums import compare_sums, read_sums
from chaos.tape import Tape
from chaos.verdict import Verdict
from plant.rules import Rules, read_plant
from rebuild.shadow import SUMS
from runtime.kafka import rules_in_force
from runtime.settings import Settings
from schemas.errors import Unavailable
from sinks.tables import DEAD_LETTER, PRODUCTION_DATA, TABLES, Table


async def judge(settings: Settings, ledger: Ledger, tape: Tape) -> Verdict:
    """Compare PostgreSQL with the ledger, message by message and by its sums, and every row with the fold.

    `settings` name Kafka and PostgreSQL themselves, not proxies.

    Raises:
        TapeError: the tape has a gap.
        Unavailable: Kafka or PostgreSQL does not answer.
    """
    began = time.monotonic()
    await tape.caught_up()
    record = await rules_in_force(settings)
    rules = Rules(record.generation, read_plant(record.plant, settings.topics.rules))
    verdict = Verdict()
    count = Count(ledger)
    await asyncio.to_thread(count.tape, tape)
    expected = await asyncio.to_thread(fold_tape, tape, rules)
    try:
        async with _reading(settings.database_url) as connection:
            for table in TABLES:
                await _compare(connection, table, expected[table.name], count, verdict)
            await _compare_sums(connection, verdict)
            await _add_up(connection, ledger, count, tape, verdict)
    finally:
        for table in TABLES:
            expected[table.name].close()
    count.judge(verdict)
    verdict.count("records of the log", len(tape))
    verdict.seconds = round(time.monotonic() - began, 1)
    return verdict


async def _add_up(
    connection: psycopg.AsyncConnection, ledger: Ledger, count: Count, tape: Tape, verdict: Verdict
) -> None:
    """Compare the sums of rows with what was published."""
    end = max(tape.last_time(partition) for partition in tape.partitions)
    try:
        async with connection.transaction():
            found = await read_sums(connection)
    except psycopg.DataError as error:
        verdict.summed.add(f"the rows can't be summed: {error}")
        return
    compare_sums(expected_sums(ledger, count.applied(), end), found, end, verdict)


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection whose reads all see the same moment."""
    try:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL: {error}") from error


async def _compare(
    connection: psycopg.AsyncConnection, table: Table, expected: Expected, count: Count, verdict: Verdict
) -> None:
    """Compare a table with its expected rows in both directions, and count its rows."""
    names = columns(table)
    missing, extra, different = verdict.findings(table.name)
    where = {name: index for index, name in enumerate(names)}
    async for row in rows(connection, table):
        verdict.count(f"rows of {table.name}")
        if table is DEAD_LETTER:
            if row[where["reason"]] in LOSS_REASONS:
                verdict.told_lost.add(_shown(names, row))
                continue
            count.letter(row[where["mqttTopic"]], row[where["payload"]])
        elif table is PRODUCTION_DATA:
            count.data(row[where["lineId"]], row[where["pressure"]])
        kept = expected.rows.pop(row[0], None)
        if kept is None:
            extra.add(_shown(names, row))
        elif kept.digest != digest(row):
            different.add(_difference(names, expected.read(kept.position), row))
    for kept in expected.rows.values():
        missing.add(_shown(names, expected.read(kept.position)))


async def _compare_sums(connection: psycopg.AsyncConnection, verdict: Verdict) -> None:
    """Compare the sums by hour with the windows, which are compared already."""
    missing, extra, different = verdict.findings(SUMS)
    try:
        async with connection.transaction():  # an error in it leaves the outer transaction usable
            side_by_side = await sums(connection)
    except psycopg.DataError as error:
        different.add(f"the windows can't be summed: {error}")
        return
    for kept, made in side_by_side:
        verdict.count(f"rows of {SUMS}", kept is not None)
        if made is None:
            extra.add(str(kept))
        elif kept is None:
            missing.add(str(made))
        elif kept != made:
            different.add(f"{kept} instead of {made}")


def _shown(names: tuple[str, ...], row: Row) -> str:
    return " ".join(
        f"{name}={_short(value)}" for name, value in zip(names, row, strict=True) if value is not None
    )


def _difference(names: tuple[str, ...], expected: Row, found: Row) -> str:
    parts = [
        f"{name}: {_short(found[i])} instead of {_short(expected[i])}"
        for i, name in enumerate(names)
        if found[i] != expected[i]
    ]
    return f"id={found[0]} lineId={found[names.index('lineId')]}: {', '.join(parts)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

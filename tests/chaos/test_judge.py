"""The judge finds a run without faults right, and every change made by hand wrong."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from chaos.expected import Expected, columns, fold_tape
from chaos.judge import judge
from chaos.ledger import Entry, Ledger
from chaos.losses import unreported
from chaos.rows import sums
from chaos.verdict import Verdict
from plant.rules import Rules, read_plant
from rebuild.shadow import SUMS
from runtime.kafka import rules_in_force
from sinks.sums import sum_all
from sinks.tables import TABLES as DERIVED
from sinks.tables import tables_of
from tests.chaos.conftest import MESSAGES, Calm
from tests.chaos.wrong_rules import WRONG, Wrong

TABLES = ("ProductionData", "ProductionOrder", "Downtime", "Alert", "KPISnapshot", "DeadLetter")
ALL = {table.name: table for table in DERIVED}
NOT_JUDGED = {"acknowledgedAt", "acknowledgedBy", "replayedAt"}  # what people do, in no event
OTHER = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({0}, '') || 'x'",
    "smallint": "{0} + 1000",
    "integer": "coalesce({0}, 0) + 1",
    "bigint": "coalesce({0}, 0) + 1",
    "double precision": "CASE WHEN {0} <> 0 THEN {0} * (1 + 2.3e-16) ELSE 1e-300 END",
    "boolean": "NOT {0}",
    "date": "coalesce({0}, '2020-01-01'::date) + 1",
    "bytea": "{0} || '\\x00'::bytea",
    "timestamp with time zone": "coalesce({0}, '2020-01-01') + interval '1 ms'",
}


def other(column: str, kind: str) -> str:
    """An expression for another value of a column."""
    return OTHER[kind].format(f'"{column}"')


async def verdict_on(calm: Calm, ledger: Ledger | None = None) -> Verdict:
    return await judge(calm.settings, ledger or calm.ledger, calm.tape)


@contextmanager
def changed(calm: Calm, *statements: str) -> Iterator[None]:
    """The database with a change, until the block ends."""
    with psycopg.connect(calm.settings.database_url, autocommit=True) as connection:
        kept = {table: f"kept_{table}" for table in (*TABLES, SUMS)}
        for table, copy in kept.items():
            connection.execute(f'CREATE TABLE "{copy}" AS TABLE "{table}"')
        try:
            for statement in statements:
                assert connection.execute(statement).rowcount == 1, statement
            yield
        finally:
            for table, copy in kept.items():
                connection.execute(f'TRUNCATE "{table}"')
                connection.execute(f'INSERT INTO "{table}" TABLE "{copy}"')
                connection.execute(f'DROP TABLE "{copy}"')


def found(verdict: Verdict, table: str) -> tuple[int, int, int]:
    """Missing, extra, different."""
    return tuple(finding.count for finding in verdict.findings(table))  # type: ignore[return-value]


async def test_a_calm_run_is_right(calm: Calm):
    """Messages of every kind, without any fault: not a row too many, too few or different."""
    verdict = await verdict_on(calm)
    assert verdict.right, verdict.text()
    assert (
        sum(verdict.counts[f"{kind} messages"] for kind in ("data", "status", "order", "poison")) == MESSAGES
    )
    assert all(verdict.counts[f"rows of {table}"] > 10 for table in (*TABLES, SUMS)), verdict.text()
    assert verdict.counts["lines whose pieces were added up"] == 11
    assert verdict.counts["stops published"] > 10
    assert verdict.as_dict()["right"]


def test_every_table_of_a_derived_topic_is_judged(calm: Calm):
    """A new column can't be missed."""
    assert {table.name for table in tables_of(calm.settings.topics).values()} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
async def test_a_deleted_row_is_found(calm: Calm, table: str):
    """In each table, and in the ledger if its messages are rows."""
    with changed(calm, f'DELETE FROM "{table}" WHERE id = (SELECT id FROM "{table}" ORDER BY id LIMIT 1)'):
        verdict = await verdict_on(calm)
    assert not verdict.right
    assert found(verdict, table) == (1, 0, 0), verdict.text()
    assert verdict.lost.count or table != "ProductionData"


@pytest.mark.parametrize("table", TABLES)
async def test_a_doubled_row_is_found(calm: Calm, table: str):
    """The same row under another id."""
    with psycopg.connect(calm.settings.database_url) as connection:
        names = [
            column.name
            for column in connection.execute(f'SELECT * FROM "{table}" LIMIT 0').description or ()
            if column.name != "id"
        ]
    columns = ", ".join(f'"{name}"' for name in names)
    read = (
        columns.replace('"orderNumber"', "\"orderNumber\" || 'x'") if table == "ProductionOrder" else columns
    )
    with changed(
        calm,
        f'INSERT INTO "{table}" (id, {columns})'
        f' SELECT gen_random_uuid(), {read} FROM "{table}" ORDER BY id LIMIT 1',
    ):
        verdict = await verdict_on(calm)
    assert not verdict.right
    assert found(verdict, table) == (0, 1, 0), verdict.text()
    assert verdict.doubled.count or table != "ProductionData"


@pytest.mark.parametrize("table", TABLES)
async def test_a_changed_column_is_found(calm: Calm, table: str):
    """Each column by itself, floats by their last bit, with both values shown."""
    with psycopg.connect(calm.settings.database_url) as connection:
        kinds = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table]
        ).fetchall()
        ids = [row_id for (row_id,) in connection.execute(f'SELECT id FROM "{table}" ORDER BY id').fetchall()]
    judged = [(name, kind) for name, kind in kinds if name not in {"id", *NOT_JUDGED}]
    statements = [
        f'UPDATE "{table}" SET "{name}" = {other(name, kind)} WHERE id = \'{row_id}\''
        for (name, kind), row_id in zip(judged, ids, strict=False)
    ]
    assert len(statements) == len(judged)
    with changed(calm, *statements):
        verdict = await verdict_on(calm)
    assert found(verdict, table) == (0, 0, len(judged)), verdict.text()
    names = "|".join(name for name, _ in judged)
    for example in verdict.different[table].examples:
        assert re.fullmatch(rf"id=\S+ lineId=.*: ({names}): .* instead of .*", example), example


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("DELETE FROM {table} WHERE {one}", (1, 0, 0)),
        ('UPDATE {table} SET "part" = "part" + 1000 WHERE {one}', (1, 1, 0)),
        ('UPDATE {table} SET "pieces" = "pieces" + 1 WHERE {one}', (0, 0, 1)),
    ],
)
async def test_a_sum_that_is_not_that_of_its_windows_is_found(
    calm: Calm, statement: str, wrong: tuple[int, int, int]
):
    """Sums by hour are no events: they are compared with the windows."""
    one = f'ctid = (SELECT ctid FROM "{SUMS}" ORDER BY "lineId", "hour", "part" LIMIT 1)'
    with changed(calm, statement.format(table=f'"{SUMS}"', one=one)):
        verdict = await verdict_on(calm)
    assert not verdict.right
    assert found(verdict, SUMS) == wrong, verdict.text()


async def test_each_column_of_a_sum_is_compared(calm: Calm):
    """By itself, doubles by their last bit."""
    async with await psycopg.AsyncConnection.connect(calm.settings.database_url) as connection:
        kinds = await connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [SUMS]
        )
        for name, kind in await kinds.fetchall():
            await connection.execute(
                f'UPDATE "{SUMS}" SET "{name}" = {other(name, kind)}'
                f' WHERE ctid = (SELECT ctid FROM "{SUMS}" LIMIT 1)'
            )
            assert [pair for pair in await sums(connection) if pair[0] != pair[1]], name
            await connection.rollback()


async def test_what_people_do_is_not_judged(calm: Calm):
    """Acknowledged alerts and replayed dead letters are in no event."""
    with changed(
        calm,
        'UPDATE "Alert" SET "acknowledgedAt" = now() WHERE id = (SELECT id FROM "Alert" LIMIT 1)',
        'UPDATE "DeadLetter" SET "replayedAt" = now() WHERE id = (SELECT id FROM "DeadLetter" LIMIT 1)',
    ):
        verdict = await verdict_on(calm)
    assert verdict.right, verdict.text()


async def test_what_a_stage_says_it_lost_is_told_apart(calm: Calm):
    """No record of the log is behind such a dead letter."""
    with changed(
        calm,
        'INSERT INTO "DeadLetter" SELECT gen_random_uuid(), "lineId", line, topic, partition, "offset",'
        " NULL, '', 'expired', detail, \"receivedAt\" FROM \"DeadLetter\" LIMIT 1",
    ):
        verdict = await verdict_on(calm)
    assert verdict.right, verdict.text()
    assert verdict.told_lost.count == 1


def letter(topic: str, offset: int, reason: str) -> str:
    """A dead letter that reports the loss of one record of partition 0."""
    detail = f"messages {offset} to {offset} are gone"
    return (
        f"INSERT INTO \"DeadLetter\" SELECT gen_random_uuid(), '', '', '{topic}', 0, {offset}, NULL, '',"
        f" '{reason}', '{detail}', \"receivedAt\" FROM \"DeadLetter\" LIMIT 1"
    )


async def test_what_is_lost_is_told_and_what_is_told_was_lost(calm: Calm):
    """Record by record, whichever stage reports it."""
    raw = calm.settings.topics.raw
    for topic, reason in ((raw, "expired"), (raw, "log_lost"), (calm.settings.topics.kpis, "expired")):
        with changed(calm, letter(topic, 5, reason)):
            (none,) = await unreported(calm.settings, calm.tape)
        assert f"({reason}) of {topic}[0] reports a loss at 5 that was none" in none
    calm.tape.without(0, 5, 5)
    try:
        assert await unreported(calm.settings, calm.tape) == [
            f"no dead letter reports that {raw}[0] 5 to 5 were deleted"
        ]
        with changed(calm, letter(raw, 5, "expired")):
            assert await unreported(calm.settings, calm.tape) == []
    finally:
        calm.tape.left_out(0).clear()


def fill(calm: Calm, tables: Mapping[str, Expected]) -> None:
    """Have PostgreSQL hold the rows that the fold makes of the log now, and nothing else."""
    with psycopg.connect(calm.settings.database_url) as connection:
        connection.execute(f'TRUNCATE "{SUMS}"')
        for table in TABLES:
            names, expected = columns(ALL[table]), tables[table]
            insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join([sql.Placeholder()] * len(names)),
            )
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
            rows = [expected.read(kept.position) for kept in expected.rows.values()]
            connection.cursor().executemany(insert, rows)
        sum_all(connection)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.broken.__name__)
async def test_a_rule_that_is_wrong_in_rows_and_fold_alike_is_found(
    calm: Calm, monkeypatch: pytest.MonkeyPatch, wrong: Wrong
):
    """Every row is that of the fold; but they do not add up to what was published."""
    wrong.break_it(monkeypatch)
    rules = await rules_in_force(calm.settings)
    tables = fold_tape(calm.tape, Rules(rules.generation, read_plant(rules.plant, "the rules in force")))
    try:
        with changed(calm):
            fill(calm, tables)
            verdict = await verdict_on(calm)
    finally:
        for table in tables.values():
            table.close()
    assert [found(verdict, table) for table in (*TABLES, SUMS)] == [(0, 0, 0)] * 7, verdict.text()
    assert (verdict.lost.count, verdict.doubled.count) == (0, 0)
    assert not verdict.right
    assert any(wrong.sums in example for example in verdict.summed.examples), verdict.text()


def number(calm: Calm, kind: str, *, numbered: bool = True) -> int:
    """The number of a message in the ledger."""
    return next(n for n, sent in calm.ledger.sent.items() if sent.kind == kind and sent.numbered == numbered)


def with_entries(calm: Calm, *entries: Entry, without: int = 0) -> Ledger:
    """The ledger, changed."""
    ledger = Ledger()
    ledger.sent = {n: sent for n, sent in calm.ledger.sent.items() if n != without}
    for entry in entries:
        ledger.add(entry)
    return ledger


@pytest.mark.parametrize("kind", ["data", "status", "order", "poison"])
async def test_a_number_that_is_not_in_the_ledger_is_found(calm: Calm, kind: str):
    """It was never sent, and is in the log (and a row)."""
    n = number(calm, kind)
    verdict = await verdict_on(calm, with_entries(calm, without=n))
    assert not verdict.right
    assert any(f"number {n} " in example for example in verdict.unknown.examples), verdict.text()


@pytest.mark.parametrize("kind", ["data", "status", "poison"])
async def test_a_message_without_a_number_that_is_not_in_the_ledger_is_found(calm: Calm, kind: str):
    """It is found only by the count of its topic."""
    n = number(calm, kind, numbered=False)
    verdict = await verdict_on(calm, with_entries(calm, without=n))
    assert verdict.doubled.count
    assert calm.ledger.sent[n].topic in "".join(verdict.doubled.examples)


@pytest.mark.parametrize("kind", ["data", "status", "order", "poison"])
@pytest.mark.parametrize("told", [True, False])
async def test_an_acknowledged_message_that_is_nowhere_is_lost(calm: Calm, kind: str, told: bool):
    """A message that was not acknowledged may be missing."""
    n = 10_000_000
    sent = Entry(n, "sent", "ligne1", kind, f"production/ligne1/{kind}", told)  # type: ignore[arg-type]
    assert (await verdict_on(calm, with_entries(calm, sent))).right
    verdict = await verdict_on(calm, with_entries(calm, sent, Entry(n, "acked")))
    assert verdict.lost.count == (2 if kind in ("data", "poison") else 1), verdict.text()


async def test_a_message_sent_twice_may_be_there_once_or_twice(calm: Calm):
    """The broker may have accepted both, or one; a third is one too many."""
    n = number(calm, "data")
    again = with_entries(calm)
    again.sent[n] = replace(calm.ledger.sent[n], times=2)
    verdict = await verdict_on(calm, again)
    assert verdict.right, verdict.text()
    assert verdict.counts["sent again"] == 1


async def test_a_record_that_was_deleted_unseen_is_not_expected(calm: Calm):
    """With its row there is one too many; without, the message does not count as lost: the log lost it."""
    partition, record = next(
        (partition, record)
        for partition in calm.tape.partitions
        for record in calm.tape.messages(partition)
        if dict(record.headers)["kind"] == b"unroutable"  # it has no effect but its dead letter
    )
    calm.tape.without(partition, record.offset, record.offset)
    where = f'partition = {partition} AND "offset" = {record.offset}'
    try:
        verdict = await verdict_on(calm)
        assert (found(verdict, "DeadLetter"), verdict.doubled.count) == ((0, 1, 0), 1), verdict.text()
        with changed(calm, f'DELETE FROM "DeadLetter" WHERE {where}'):
            verdict = await verdict_on(calm)
        assert verdict.right, verdict.text()
    finally:
        calm.tape.left_out(partition).clear()

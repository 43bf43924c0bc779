"""What several partitions have for PostgreSQL is written in one transaction; none waits for another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest
from faust.types import TP

from schemas.errors import Unavailable
from schemas.events import Event
from sinks.group_commit import GroupCommit
from sinks.sink import Sink
from sinks.tables import tables_of
from sinks.transaction import Portion, Written, write
from tests.sinks.conftest import PARTITIONS, Plant
from tests.sinks.records import TOPIC_OF, TOPICS, alert, log, order, sample

pytestmark = [pytest.mark.quick, pytest.mark.both]

MOVED = """
    SELECT sum("nextOffset") AS n, count(DISTINCT xmin::text) AS transactions
    FROM "SinkCursor" WHERE "nextOffset" > 0
"""
SINKS = {topic: Sink(table, PARTITIONS) for topic, table in tables_of(TOPICS).items()}


async def begin(plant: Plant) -> None:
    """A cursor for each partition."""
    await plant.cursors.positions([TP(topic, number) for topic in SINKS for number in range(PARTITIONS)])


def portions(*logs: Sequence[Any]) -> list[Portion]:
    return [Portion(SINKS[records[0].topic], records) for records in logs]


class Group:
    """A group commit at work."""

    def __init__(self, group: GroupCommit) -> None:
        self._group = group

    def write(self, *events: Event, partition: int = 0, at: int = 0) -> "asyncio.Task[Written]":
        """Begin to write events of one topic."""
        sink = SINKS[TOPIC_OF[type(events[0])]]
        return asyncio.create_task(self._group.write(sink, log(*events, partition=partition, at=at)))


@contextlib.asynccontextmanager
async def running(plant: Plant) -> AsyncIterator[Group]:
    """A group commit on a plant's database."""
    await begin(plant)
    group = GroupCommit(plant.url, "en")
    work = asyncio.create_task(group.run())
    try:
        yield Group(group)
    finally:
        work.cancel()
        await asyncio.wait([work])


async def test_partitions_and_topics_share_a_transaction(plant: Plant) -> None:
    """Their rows are committed together, and so are their cursors."""
    await begin(plant)
    stored = await write(
        plant.database,
        portions(
            log(sample(0), sample(1)),
            log(sample(2), partition=1),
            log(order(1, 5), partition=1),
            log(alert(1, 1)),
        ),
        "en",
    )
    assert [written.cursor for written in stored.written] == [2, 1, 1, 1]
    assert stored.rows == {"ProductionData": 3, "ProductionOrder": 1, "Alert": 1}
    assert plant.rows(MOVED) == [{"n": 5, "transactions": 1}]


async def test_a_portion_that_was_written_before_is_left_out(plant: Plant) -> None:
    """A worker that thaws has one that another worker wrote: its neighbours are written, once."""
    await begin(plant)
    await write(plant.database, portions(log(sample(0), sample(1))), "en")
    stored = await write(plant.database, portions(log(sample(0)), log(sample(2), partition=1)), "en")
    assert [written.cursor for written in stored.written] == [2, 1]
    assert [len(written.events) for written in stored.written] == [0, 1]
    assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": 3}]


async def test_a_portion_that_waits_for_the_next_rules_keeps_no_other_back(plant: Plant) -> None:
    """Its cursor stays before the first event of a later generation, and the others move."""
    await begin(plant)
    stored = await write(
        plant.database,
        portions(
            log(sample(0), sample(1, generation=2)),
            log(sample(2, generation=2), partition=1),
            log(sample(3), partition=2),
        ),
        "en",
    )
    assert [written.cursor for written in stored.written] == [1, 0, 1]
    assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": 2}]
    at = 'SELECT "nextOffset" AS at FROM "SinkCursor" WHERE topic = %s ORDER BY "partition"'
    assert [row["at"] for row in plant.rows(at, [TOPICS.samples])] == [1, 0, 1, 0]


async def test_a_refused_row_costs_its_own_partition_a_dead_letter(plant: Plant) -> None:
    """The rows of the other partitions and topics are written in the same transaction."""
    await begin(plant)
    stored = await write(
        plant.database,
        portions(
            log(sample(0), sample(1, line="\0")),
            log(sample(2), b"rubbish", partition=1, topic=TOPICS.samples),
            log(order(1, 1)),
        ),
        "en",
    )
    letters = [[letter.reason for letter in written.letters] for written in stored.written]
    assert letters == [["refused"], ["not_event"], []]
    assert [len(written.events) for written in stored.written] == [1, 1, 1]
    assert plant.rows(MOVED) == [{"n": 5, "transactions": 1}]
    assert plant.rows('SELECT "partition" FROM "DeadLetter" ORDER BY 1') == [
        {"partition": 0},
        {"partition": 1},
    ]


async def test_workers_that_want_the_same_partitions_wait_in_the_same_order(plant: Plant) -> None:
    """Whatever the order in which each has them: there is no deadlock, and each row is there once."""
    await begin(plant)
    logs = [log(sample(number), partition=number) for number in range(PARTITIONS)]
    outcomes = await asyncio.gather(
        *(
            write(plant.another_connection(), portions(*(logs[::-1] if turn % 2 else logs)), "en")
            for turn in range(6)
        )
    )
    assert sorted(outcome.rows.get("ProductionData", 0) for outcome in outcomes) == [0] * 5 + [PARTITIONS]
    assert {written.cursor for outcome in outcomes for written in outcome.written} == {1}


async def test_what_comes_at_the_same_time_goes_together(plant: Plant) -> None:
    """What one fetch brought for several partitions and topics shares a transaction."""
    async with running(plant) as group:
        await group.write(sample(0))
        await asyncio.gather(*(group.write(sample(n), partition=n) for n in (1, 2)), group.write(order(1, 1)))
    assert plant.rows(MOVED) == [{"n": 4, "transactions": 2}]


async def test_a_full_transaction_waits_for_no_other_portion(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Portions that make it full are written without the time that others may take to arrive."""
    monkeypatch.setattr("sinks.group_commit.LINGER_S", 3600)
    monkeypatch.setattr("sinks.group_commit.FULL", 3)
    async with running(plant) as group:
        some = [group.write(sample(0), sample(1)), group.write(sample(2), partition=1)]
        assert [written.cursor for written in await asyncio.gather(*some)] == [2, 1]


async def test_a_table_that_is_locked_keeps_no_other_back(plant: Plant) -> None:
    """Alerts wait until the lock is free; samples are rows meanwhile, and the alerts are rows afterwards."""
    async with running(plant) as group:
        with psycopg.connect(plant.url) as blocker:
            blocker.execute('LOCK TABLE "Alert" IN EXCLUSIVE MODE')
            alerts = group.write(alert(1, 1))
            first = group.write(sample(0))
            with pytest.raises(Unavailable, match="lock"):
                await alerts
            assert (await first).cursor == 1
            again = group.write(alert(1, 1))
            await group.write(sample(1), at=1)
            assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": 2}]
        with contextlib.suppress(Unavailable):  # it may have met the lock once more
            await again
        assert (await group.write(alert(1, 1))).cursor == 1
    assert plant.rows('SELECT count(*) AS n FROM "Alert"') == [{"n": 1}]


async def test_a_server_that_is_away_is_every_writers_trouble(plant: Plant) -> None:
    """Each learns that it can't be written now; nothing is written in part."""
    async with running(plant) as group:
        plant.run('ALTER TABLE "SinkCursor" RENAME TO "Elsewhere"')
        outcomes = await asyncio.gather(
            group.write(sample(0)), group.write(order(1, 1)), return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        plant.run('ALTER TABLE "Elsewhere" RENAME TO "SinkCursor"')
        written = await asyncio.gather(group.write(sample(0)), group.write(order(1, 1)))
        assert [each.cursor for each in written] == [1, 1]


async def test_a_writer_that_gave_up_is_not_written(plant: Plant) -> None:
    """Its partition went to another worker while its portion waited."""
    async with running(plant) as group:
        waiting, other = group.write(sample(1), partition=1), group.write(sample(2), partition=2)
        await asyncio.sleep(0)
        waiting.cancel()
        await other
    assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": 1}]

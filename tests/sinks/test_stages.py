"""The progress of stages that the sinks record: whether one moves, or since when it does not."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from linepulse.embedded.ports import free_port
from runtime.progress import Progress, progress
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topics
from sinks import schema
from sinks.stages import Row, Stages, rows
from streams.changelog import app_name
from tests.services import Services
from tests.streams.raw import RawLog

LONG_AGO = timedelta(hours=1)
Noted = dict[tuple[str, int], tuple[int | None, datetime, datetime | None]]


@pytest.fixture
def settings(services: Services) -> Settings:
    settings = services.settings(partitions=2)
    schema.migrate(settings.database_url)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute('INSERT INTO "Generation" VALUES (3, %s, now(), true)', [""])
    return settings


@pytest.fixture
async def stages(settings: Settings) -> AsyncIterator[Stages]:
    stages = Stages(settings)
    yield stages
    await stages._database.close()


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[RawLog]:
    async with RawLog(settings) as log:
        yield log


def noted(settings: Settings) -> Noted:
    with psycopg.connect(settings.database_url, options="-c timezone=UTC") as connection:
        found = connection.execute(
            'SELECT "stage", "partition", "position", "movedAt", "logTime" FROM "StageProgress"'
        )
        return {(stage, number): (at, moved, time) for stage, number, at, moved, time in found}


def age(settings: Settings, ago: timedelta, seen_ago: timedelta = timedelta()) -> None:
    """Make all recorded progress older by this much."""
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            'UPDATE "StageProgress" SET "movedAt" = "movedAt" - %s, "seenAt" = now() - %s', [ago, seen_ago]
        )


async def has_read(settings: Settings, offsets: list[int]) -> None:
    """The offset that the stream stage of generation 3 commits to its group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.topics.group(3),
        enable_auto_commit=False,
    )
    await consumer.start()
    where = [TopicPartition(settings.topics.raw, number) for number in range(len(offsets))]
    consumer.assign(where)
    await consumer.commit(dict(zip(where, offsets, strict=True)))
    await consumer.stop()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_look_at_the_log(settings: Settings, log: RawLog):
    """Where it ends, how old its newest record is, and how far the stream stage has come."""
    assert await progress(settings, 3) == Progress({0: 0, 1: 0}, {}, {})
    await log.tick(1_700_000_000_000)
    await log.tick(1_700_000_005_000)
    await has_read(settings, [1, 2])
    seen = await progress(settings, 3)
    assert seen.times == {0: 1_700_000_005_000, 1: 1_700_000_005_000}
    assert seen.applied == {0: 1, 1: 2}
    assert seen.has_read_all(1)
    assert (await progress(settings, 4)).applied == {}


async def test_what_moves_and_what_does_not(settings: Settings, log: RawLog, stages: Stages):
    """A stage moved when its position did, or when it has nothing left to do."""
    await log.tick(now_ms())
    await has_read(settings, [1, 0])
    await stages.note()
    assert set(noted(settings)) == {("sinks", 0), ("kafka", 0)} | {
        (stage, number) for stage in ("bridge", "streams") for number in (0, 1)
    }
    age(settings, LONG_AGO)
    old = noted(settings)
    await stages.note()
    again = noted(settings)
    stood = {key for key in again if again[key][1] == old[key][1]}
    assert stood >= {("bridge", 0), ("bridge", 1)}
    assert {("sinks", 0), ("kafka", 0), ("streams", 0)}.isdisjoint(stood)
    await log.tick(now_ms())
    await has_read(settings, [1, 1])
    await stages.note()
    moved = {key for key, row in noted(settings).items() if row[1] > again[key][1]}
    assert moved >= {("bridge", 0), ("bridge", 1), ("streams", 1)}


async def test_what_nobody_watched_is_as_old_as_the_newest_record(
    settings: Settings, log: RawLog, stages: Stages
):
    """The bridge wrote and died while the sinks were away: it did not move just now."""
    await log.tick(now_ms() - 7_200_000)
    await stages.note()
    age(settings, LONG_AGO, seen_ago=LONG_AGO)
    wrote_last = now_ms() - 600_000
    await log.tick(wrote_last)
    await stages.note()
    _, moved, log_time = noted(settings)["bridge", 0]
    assert moved == log_time == datetime.fromtimestamp(wrote_last / 1000, UTC)


async def test_without_kafka_the_sinks_still_say_that_they_live(settings: Settings, stages: Stages):
    """So the page can distinguish a dead Kafka from dead sinks."""
    await stages.note()
    age(settings, LONG_AGO)
    old = noted(settings)
    away = settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{free_port()}"})
    with pytest.raises(Unavailable):
        await progress(away, 3)
    lonely = Stages(away)
    await lonely.note()
    await lonely._database.close()
    new = noted(settings)
    assert {key for key in new if new[key][1] != old[key][1]} == {("sinks", 0)}


async def test_without_postgresql_it_waits_for_the_next_turn(settings: Settings):
    """The outage is reported by the agents that write rows."""
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/nowhere"
    await Stages(settings.model_copy(update={"database_url": url})).note()


def test_what_is_noted_of_a_look():
    """Positions, times, and which stages have nothing left to do."""
    seen = Progress({0: 10, 1: 0}, {0: 7}, {0: 8})
    assert rows(seen) == [
        Row("sinks", 0, None, None, True),
        Row("kafka", 0, None, None, True),
        Row("bridge", 0, 10, 7, False),
        Row("streams", 0, 8, None, False),
        Row("bridge", 1, 0, None, False),
        Row("streams", 1, None, None, True),
    ]
    assert rows(None) == [Row("sinks", 0, None, None, True)]


def test_the_group_is_the_one_that_the_stream_stage_joins():
    """Faust names it after the app."""
    assert Topics("production").group(7) == f"production-{app_name(7)}"

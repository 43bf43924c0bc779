"""What a run reads of the log before it begins."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

import bridge.kafka
from bridge.kafka import read_back, read_gap, read_tail
from plant.log_clock import LogClock, TrueTime
from runtime.settings import Settings
from schemas.instant import DAY
from schemas.raw import Kind, RawHeaders

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
SOON_S = 3.0
RECORDS = 30


class Slow(AIOKafkaConsumer):  # type: ignore[misc]
    """Returns one record at a time, as over a slow network."""

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int) -> dict[TopicPartition, Any]:
        await asyncio.sleep(2 * SOON_S / RECORDS)
        return dict(await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=1))


@asynccontextmanager
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    writing = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await writing.start()
    yield writing
    await writing.stop()


async def test_a_long_tail_is_read_to_its_end(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes, as long as records arrive: if it gave up, the next try would take as long."""
    settings = settings_for()
    where = TopicPartition(settings.topics.raw, 1)
    headers = RawHeaders(Kind.DATA, "production/ligne1/data", 1, mid=7, run=5, seq=1).encode()
    async with producer(settings) as writing:
        for _ in range(RECORDS):
            await writing.send_and_wait(where.topic, b"x", partition=1, timestamp_ms=1000, headers=headers)
    monkeypatch.setattr(bridge.kafka, "START_S", SOON_S)
    monkeypatch.setattr(bridge.kafka, "AIOKafkaConsumer", Slow)
    assert await read_tail(settings) == (1000, 5, "")
    assert len(await read_back(settings, {where: RECORDS})) == RECORDS


async def test_a_time_that_is_none_does_not_carry_the_log_away(settings_for: SettingsFor) -> None:
    """Another program wrote µs instead of ms: the log's time would stay in the year 57 000 for ever."""
    settings, now = settings_for(), int(time.time() * 1000)
    async with producer(settings) as writing:
        await writing.send_and_wait(settings.topics.raw, b"", partition=0, timestamp_ms=now)
        await writing.send_and_wait(settings.topics.raw, b"", partition=0, timestamp_ms=now * 1000)
    assert (await read_tail(settings)).received_at == now


async def test_a_tail_that_is_ahead_is_told_at_its_true_time(settings_for: SettingsFor) -> None:
    """If the plant's rules say so, for the runs that they name."""
    settings, now = settings_for(), int(time.time() * 1000)
    headers = RawHeaders(Kind.TICK, run=5).encode()
    async with producer(settings) as writing:
        await writing.send_and_wait(
            settings.topics.raw, b"", partition=0, timestamp_ms=now + DAY, headers=headers
        )
    for run, received_at in ((5, now), (4, now + DAY)):
        wrong = LogClock.model_validate(
            {"first_run": run, "last_run": run, "from": moment(now + DAY), "true": moment(now)}
        )
        assert (await read_tail(settings, true_time=TrueTime([wrong]))).received_at == received_at


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def test_only_our_own_session_tells_what_was_delivered(settings_for: SettingsFor) -> None:
    """A bridge with another client id has packet ids of its own, which are the same numbers."""
    settings = settings_for()
    where = TopicPartition(settings.topics.raw, 0)
    async with producer(settings) as writing:
        for client in (settings.mqtt_client_id, "another"):
            headers = RawHeaders(
                Kind.DATA, "production/ligne1/data", 1, mid=7, client=client, run=5, seq=1
            ).encode()
            await writing.send_and_wait(where.topic, b"x", partition=0, headers=headers)
    assert len(await read_back(settings, {where: 2})) == 1
    assert (await read_tail(settings)).client == settings.mqtt_client_id


async def test_a_gap_tells_the_run_above_ours_that_wrote_there(settings_for: SettingsFor) -> None:
    """In the gap only; records of other programs and lower runs don't count."""
    settings = settings_for()
    where = TopicPartition(settings.topics.raw, 2)
    async with producer(settings) as writing:
        for run in (9, 3, None, 5, 8, 6):  # at the offsets 0 to 5
            headers = [] if run is None else RawHeaders(Kind.TICK, client="another", run=run).encode()
            await writing.send_and_wait(where.topic, b"", partition=2, headers=headers)
    assert await read_gap(settings, where, (1, 4), 5) == 0
    assert await read_gap(settings, where, (1, 5), 5) == 8
    assert await read_gap(settings, where, (5, 6), 5) == 6
    assert await read_gap(settings, where, (3, 5), 8) == 0

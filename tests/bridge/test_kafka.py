"""What a run reads of the log before it begins."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

import bridge.kafka
from bridge.kafka import read_back, read_tail
from runtime.settings import Settings
from schemas.raw import Kind, RawHeaders

SettingsFor = Callable[..., Settings]
SOON_S = 3.0
RECORDS = 30


class Slow(AIOKafkaConsumer):  # type: ignore[misc]
    """Brings one record at a time, as over a line on which a large one takes long."""

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
    """However long it takes, as long as something comes: given up, it would be as long the next time."""
    settings = settings_for()
    where = TopicPartition(settings.topics.raw, 1)
    headers = RawHeaders(Kind.DATA, "production/ligne1/data", 1, mid=7, run=5, seq=1).encode()
    async with producer(settings) as writing:
        for _ in range(RECORDS):
            await writing.send_and_wait(where.topic, b"x", partition=1, timestamp_ms=1000, headers=headers)
    monkeypatch.setattr(bridge.kafka, "START_S", SOON_S)
    monkeypatch.setattr(bridge.kafka, "AIOKafkaConsumer", Slow)
    assert await read_tail(settings) == (1000, 5)
    assert len(await read_back(settings, {where: RECORDS})) == RECORDS


async def test_a_time_that_is_none_does_not_carry_the_log_away(settings_for: SettingsFor) -> None:
    """Somebody wrote µs where ms are meant: the log's own time would stay in the year 57 000 for ever."""
    settings, now = settings_for(), int(time.time() * 1000)
    async with producer(settings) as writing:
        await writing.send_and_wait(settings.topics.raw, b"", partition=0, timestamp_ms=now)
        await writing.send_and_wait(settings.topics.raw, b"", partition=0, timestamp_ms=now * 1000)
    assert (await read_tail(settings)).received_at == now

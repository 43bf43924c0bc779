"""A raw log as a plant's machines fill it in hours, written within seconds."""

import asyncio
import time
from typing import Any

from aiokafka import AIOKafkaProducer

from runtime.settings import Settings
from schemas.instant import text_of
from schemas.raw import Kind, RawHeaders
from tests.streams.raw import partition_of

LINES = 20
EVERY_MS = 2000
TICK_EVERY = 3  # messages of a line: about the bridge's pace
RUN = 1


class Filler:
    """Puts records into batches of their own, a partition each: one by one costs too much."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._batches: dict[int, Any] = {}
        self._sent: list[asyncio.Future[Any]] = []

    async def put(
        self, partition: int, key: bytes | None, value: bytes, at: int, headers: RawHeaders
    ) -> None:
        """One record."""
        coded = headers.encode()
        batch = self._batches.get(partition)
        if batch is None or batch.append(key=key, value=value, timestamp=at, headers=coded) is None:
            await self._send(partition)
            batch = self._batches[partition] = self._producer.create_batch()
            batch.append(key=key, value=value, timestamp=at, headers=coded)

    async def close(self) -> None:
        """What is left."""
        for partition in list(self._batches):
            await self._send(partition)
        await asyncio.gather(*self._sent)

    async def _send(self, partition: int) -> None:
        batch = self._batches.pop(partition, None)
        if batch is not None:
            batch.close()
            self._sent.append(await self._producer.send_batch(batch, self._topic, partition=partition))


async def fill(settings: Settings, records: int) -> None:
    """So many data messages, and ticks between them; each line stops now and then."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=5, max_batch_size=200_000
    )
    await producer.start()
    filler = Filler(producer, settings.topics.raw)
    names = [f"ligne{number}" for number in range(LINES)]
    places = [partition_of(settings, name) for name in names]
    start = int(time.time() * 1000) - records // LINES * EVERY_MS
    for number in range(records):
        turn, line = divmod(number, LINES)
        at = start + turn * EVERY_MS
        if line == 0 and turn % TICK_EVERY == 0:
            for partition in range(settings.partitions):
                await filler.put(partition, None, b"", at, RawHeaders(Kind.TICK, run=RUN))
        topic = f"production/{names[line]}/data"
        headers = RawHeaders(Kind.DATA, topic, qos=1, mid=number % 65_535 + 1, run=RUN, seq=number)
        value = _payload(turn + line * 7, at)
        await filler.put(places[line], names[line].encode(), value, at + 40 + line, headers)
    await filler.close()
    await producer.stop()


def _payload(turn: int, at: int) -> bytes:
    runs = turn % 97 > 2
    return b'{"count":%d,"targetRate":120,"rate":%.1f,"defects":%d,"running":%s,%s,"timestamp":"%s"}' % (
        4 if runs else 0,
        115.5 + turn % 5,
        turn % 31 == 0,
        b"true" if runs else b"false",
        b'"temperature":%.1f,"pressure":2.1' % (24.5 + turn % 40 / 10),
        text_of(at).encode(),
    )

"""Writes line states to the changelog, in batches: Faust's table would send them one by one."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.producer import close_producer, open_producer, send_batches
from runtime.settings import Settings
from schemas.errors import Unavailable

BATCH_BYTES = 512 * 1024
REQUEST_MS = 60_000  # the watchdog ends a worker that stands still before that

Entry = tuple[bytes, bytes | None]
"""A key of the changelog and its value; None deletes it."""


class StateLog:
    """A Faust table whose changelog is written here: what is sent in one step of a task is one batch.

    Faust restores the table, and holds it in memory.
    """

    def __init__(self, settings: Settings, topic: str, table: Any) -> None:
        """`topic`: the table's changelog."""
        self._settings = settings
        self._topic = topic
        self._table = table
        self._pending: dict[int, list[Entry]] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._producer: AIOKafkaProducer | None = None  # opened by the first batch
        self._opening = asyncio.Lock()

    @property
    def data(self) -> Any:
        """What the table holds, by key."""
        return self._table.data

    def values(self) -> Iterable[bytes]:
        """The states that the table holds."""
        values: Iterable[bytes] = self._table.values()
        return values

    def send_changelog(self, partition: int, key: bytes, value: bytes | None) -> "asyncio.Future[None]":
        """Send an entry with all others of this step; done when Kafka has stored them.

        The future raises KafkaError if it did not.
        """
        if partition not in self._pending:
            self._pending[partition] = []
            self._sending[partition] = asyncio.create_task(self._send(partition))
        self._pending[partition].append((key, value))
        return self._sending[partition]

    async def stop(self) -> None:
        """Close the producer."""
        if self._producer is not None:
            await close_producer(self._producer)

    async def _send(self, partition: int) -> None:
        entries = [(key, value, None) for key, value in self._pending.pop(partition)]
        producer = await self._opened()
        # A broker that lists a partition's end by batches (the embedded one does) would hide all of the last
        # batch but its first entry from the worker that restores it.
        answers = await send_batches(producer, self._topic, partition, entries[:-1])
        answers += await send_batches(producer, self._topic, partition, entries[-1:])
        await asyncio.gather(*answers)

    async def _opened(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                try:
                    self._producer = await open_producer(self._settings, BATCH_BYTES, REQUEST_MS)
                except Unavailable as error:
                    raise KafkaError(str(error)) from error
            return self._producer

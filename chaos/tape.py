"""The tape: a copy of every record that the raw log ever held, independent of its retention."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chaos.partition_tape import PartitionTape, Taped, TapeError, mqtt_topic_of
from runtime.settings import Settings

AGAIN_S = 0.5
ANSWER_S = 15.0
AT_ONCE = 5000


class Tape:
    """Reads `production.raw` continuously from its start, into a file per partition.

    `async with Tape(settings, folder) as tape`; `settings` name Kafka itself, not a proxy. It goes on after
    Kafka was away. Records must be on the tape before retention deletes them: `await tape.caught_up()`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.topic = settings.topics.raw
        self._servers = settings.kafka_bootstrap_servers
        self._parts = [PartitionTape(folder / f"{self.topic}-{n}.tape") for n in range(settings.partitions)]
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Tape":
        self._task = asyncio.create_task(self._keep_reading())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop reading; what is on the tape stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        for part in self._parts:
            part.close()

    @property
    def partitions(self) -> range:
        """Their numbers."""
        return range(len(self._parts))

    def __len__(self) -> int:
        """How many records it holds."""
        return sum(part.next_offset for part in self._parts)

    async def caught_up(self, seconds: float = 60) -> None:
        """Wait until the tape holds what the log holds now.

        Raises:
            TapeError: it does not in time, or the tape has a gap.
        """
        try:
            async with asyncio.timeout(seconds):
                ends = await self._ends()
                while any(self.end(n) < end for n, end in ends.items()):
                    await self._read_on()
        except TimeoutError:
            raise TapeError(f"the tape did not catch up with {self.topic} in {seconds:g} s") from None

    async def _read_on(self) -> None:
        if self._task is None:
            raise TapeError("the tape was stopped, and the log goes on")
        await asyncio.wait({self._task}, timeout=0.05)
        if self._task.done():
            await self._task  # raises the error that ended it

    def without(self, partition: int, first: int, last: int) -> None:
        """Leave out records, both ends included, that were deleted before the stream stage saw them."""
        self._parts[partition].left_out.append(range(first, last + 1))

    def left_out(self, partition: int) -> list[range]:
        """The offsets that are left out."""
        return self._parts[partition].left_out

    def end(self, partition: int) -> int:
        """The offset after the partition's last record on the tape."""
        return self._parts[partition].next_offset

    def last_time(self, partition: int) -> int:
        """The highest record time (ms) of the partition, 0 if it is empty."""
        return self._parts[partition].last_time

    def records(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """The partition's records from `first` on, in order, without those that are left out."""
        left_out = self.left_out(partition)
        for record in self.all_records(partition, first):
            if not any(record.offset in gone for gone in left_out):
                yield record

    def all_records(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """As `records`, with those that are left out."""
        return self._parts[partition].read(first)

    def messages(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """As `all_records`, but only what machines sent, without what a superseded bridge wrote."""
        for record in self.all_records(partition, first):
            if not record.superseded and mqtt_topic_of(record):
                yield record

    async def _keep_reading(self) -> None:
        while True:
            # Kafka is away, and will come back.
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await self._read()
            await asyncio.sleep(AGAIN_S)

    async def _read(self) -> None:
        async with self._consumer() as consumer:
            where = [TopicPartition(self.topic, n) for n in self.partitions]
            consumer.assign(where)
            begins = await consumer.beginning_offsets(where)
            for tp in where:
                if begins[tp] > (expected := self.end(tp.partition)):
                    raise TapeError(f"{tp.topic}[{tp.partition}] {expected} to {begins[tp] - 1} are deleted")
                consumer.seek(tp, self.end(tp.partition))
            while True:
                fetched = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
                for tp, records in fetched.items():
                    for record in records:
                        self._parts[tp.partition].append(record)

    async def _ends(self) -> dict[int, int]:
        while True:
            with contextlib.suppress(KafkaError, OSError):
                async with self._consumer() as consumer:
                    where = [TopicPartition(self.topic, n) for n in self.partitions]
                    ends = await consumer.end_offsets(where)
                    return {tp.partition: end for tp, end in ends.items()}
            await asyncio.sleep(AGAIN_S)

    @contextlib.asynccontextmanager
    async def _consumer(self) -> Any:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=200,
        )
        try:
            async with asyncio.timeout(ANSWER_S):
                await consumer.start()
            yield consumer
        finally:
            await consumer.stop()

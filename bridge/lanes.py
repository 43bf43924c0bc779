"""Writes to the log: one lane per partition, each with one batch on its way at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import TopicPartition

from bridge.log_continuity import LogContinuity
from bridge.record import Record
from runtime import metrics
from schemas.errors import Unavailable

ReadGap = Callable[[TopicPartition, tuple[int, int | None], int], Awaitable[int]]
"""Reads a gap of a partition; returns the first run above the given one that wrote there, or 0."""


class Batch:
    """Records of one partition that Kafka stores together; `done` once it has (acks=all)."""

    __slots__ = ("builder", "done")

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.done = False


class Lane:
    """Writes one partition: what has gathered is sent by `send`, behind what is on its way."""

    def __init__(
        self,
        producer: Any,
        topic: str,
        partition: int,
        known: LogContinuity,
        read_gap: ReadGap,
        on_stored: Callable[[], None],
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._partition = partition
        self._known = known
        self._read_gap = read_gap
        self._on_stored = on_stored
        self._waiting: list[Batch] = []
        self._due = asyncio.Event()

    def append(self, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]], at_ms: int) -> Batch:
        """Append a record to the partition's waiting batches; return the batch that it is in."""
        if self._waiting:
            batch = self._waiting[-1]
            if batch.builder.append(timestamp=at_ms, key=key, value=value, headers=headers) is not None:
                return batch
        batch = Batch(self._producer.create_batch())
        # A batch takes its first record whatever its size.
        batch.builder.append(timestamp=at_ms, key=key, value=value, headers=headers)
        self._waiting.append(batch)
        return batch

    def send(self) -> None:
        """Let what has gathered go."""
        if self._waiting:
            self._due.set()

    async def run(self) -> None:
        """Send batches in order until one fails; whether that one was stored is then unknown.

        Raises:
            KafkaError: Kafka did not store it.
            Unavailable: Kafka stored it in another log than the batches before it. Then nothing more may be
                acknowledged: some of what waits behind this batch may have been lost with the old log. Or
                Kafka stored it behind the fence of a higher run: readers skip it and all that would follow.
        """
        while True:
            await self._due.wait()
            self._due.clear()
            gathered, self._waiting = self._waiting, []
            for batch in gathered:
                stored = await self._producer.send_batch(
                    batch.builder, self._topic, partition=self._partition
                )
                where = await stored
                gap = self._known.gap(self._partition, where.offset)
                if not self._known.follows(self._partition, where.offset, batch.builder.record_count()):
                    raise Unavailable(f"topic {self._topic} is not the log that it was")
                if gap is not None:
                    await self._examine(gap)
                batch.done = True
                self._on_stored()

    async def _examine(self, gap: tuple[int, int | None]) -> None:
        """Find out who wrote between two of our batches, which are adjacent while no other bridge writes.

        Raises:
            Unavailable: a higher run did; or Kafka does not answer.
        """
        ours = self._known.run
        higher = await self._read_gap(TopicPartition(self._topic, self._partition), gap, ours)
        if higher:
            metrics.MQTT_SUPERSEDED.inc()
            raise Unavailable(
                f"another bridge began run {higher} in {self._topic}[{self._partition}]: what this one (run"
                f" {ours}) wrote behind it is void, is not acknowledged, and comes again"
            )


class Lanes:
    """All partitions of the log. `failed` resolves to the reason once a batch may not have been stored."""

    def __init__(
        self,
        producer: Any,
        topic: str,
        partitions: int,
        known: LogContinuity,
        read_gap: ReadGap,
        on_stored: Callable[[], None],
    ) -> None:
        self._lanes = [
            Lane(producer, topic, number, known, read_gap, on_stored) for number in range(partitions)
        ]
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def append(self, record: Record, at_ms: int) -> Batch:
        """Append a record to the lane of its partition; return the batch that it is in."""
        return self._lanes[record.partition].append(record.key, record.value, record.headers, at_ms)

    def append_to_each(self, headers: list[tuple[str, bytes]], at_ms: int) -> list[Batch]:
        """Append a tick, a record without key and value, to every partition; return the batches."""
        return [lane.append(None, b"", headers, at_ms) for lane in self._lanes]

    def send(self) -> None:
        """Let go what has gathered in each: batches of several partitions share a request."""
        for lane in self._lanes:
            lane.send()

    def fail(self, why: str) -> None:
        """Give up: the log cannot be written."""
        if not self.failed.done():
            self.failed.set_result(why)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and not self.failed.done():
            self.failed.set_result(str(task.exception()) or repr(task.exception()))
        elif not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it: one reason is enough

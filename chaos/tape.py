"""The tape: every record that the raw log ever held, kept beside Kafka, retention or not."""

import asyncio
import contextlib
import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.settings import Settings

AGAIN_S = 0.5
ANSWER_S = 15.0
AT_ONCE = 5000
MARK_EVERY = 1000  # records between two places that are remembered
_LENGTH = struct.Struct(">I")


class TapeError(Exception):
    """The tape is not what the log held."""


class Taped(NamedTuple):
    """A record as it stood in the log; attributes as in aiokafka's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    headers: list[tuple[str, bytes]]
    value: bytes | None
    superseded: bool  # written by a bridge that another one had replaced


def mqtt_topic_of(record: Taped) -> str:
    """Where the message was published; empty for ticks and what no bridge wrote."""
    return dict(record.headers).get("topic", b"").decode(errors="replace")


class Strip:
    """One partition's part of the tape, in a file."""

    def __init__(self, path: Path) -> None:
        self.next_offset = 0
        self.last_time = 0
        self.left_out: list[range] = []
        self._path = path
        self._file = path.open("wb")
        self._size = 0
        self._run = 0
        self._marks: list[tuple[int, int]] = []  # (offset, place in the file)
        self._encode = msgspec.msgpack.Encoder().encode

    def append(self, record: Any) -> None:
        """The next record.

        Raises:
            TapeError: it is another one.
        """
        if record.offset != self.next_offset:
            raise TapeError(f"record {record.offset} comes where {self.next_offset} was to come")
        if record.offset % MARK_EVERY == 0:
            self._marks.append((record.offset, self._size))
        run = int(dict(record.headers).get("run", b"0"))
        self._run = max(self._run, run)
        taped = Taped(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp,
            record.key,
            list(record.headers),
            record.value,
            run < self._run,
        )
        coded = self._encode(taped)
        self._file.write(_LENGTH.pack(len(coded)) + coded)
        self._size += _LENGTH.size + len(coded)
        self.next_offset += 1
        self.last_time = max(self.last_time, record.timestamp)

    def read(self, first: int) -> Iterator[Taped]:
        """The records from `first` on that are there when it is called."""
        if not self._file.closed:
            self._file.flush()
        end, decode = self.next_offset, msgspec.msgpack.Decoder(Taped).decode
        index = bisect_right(self._marks, (first, self._size)) - 1
        if index < 0 or first >= end:
            return
        with self._path.open("rb") as file:
            offset, place = self._marks[index]
            file.seek(place)
            while offset < end:
                (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
                coded = file.read(length)
                if offset >= first:
                    yield decode(coded)
                offset += 1

    def close(self) -> None:
        """Write no more; what is there can still be read."""
        self._file.close()


class Tape:
    """Reads `production.raw` from its start on, continuously, into a file a partition.

    `async with Tape(settings, folder) as tape`; `settings` name Kafka itself, not a proxy. It outlives
    Kafka's absence. What retention is to delete must be on the tape before: `await tape.caught_up()`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.topic = settings.topics.raw
        self._servers = settings.kafka_bootstrap_servers
        self._strips = [Strip(folder / f"{self.topic}-{n}.tape") for n in range(settings.partitions)]
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Tape":
        self._task = asyncio.create_task(self._keep_reading())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Read no more; what is on the tape stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        for strip in self._strips:
            strip.close()

    @property
    def partitions(self) -> range:
        """Their numbers."""
        return range(len(self._strips))

    def __len__(self) -> int:
        """How many records it holds."""
        return sum(strip.next_offset for strip in self._strips)

    async def caught_up(self, seconds: float = 60) -> None:
        """Wait until the tape holds what the log holds now.

        Raises:
            TapeError: it does not in time, or the tape has a hole.
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
            await self._task  # raises what ended it

    def without(self, partition: int, first: int, last: int) -> None:
        """Leave out records, both ends included, that were deleted before the stream stage saw them."""
        self._strips[partition].left_out.append(range(first, last + 1))

    def left_out(self, partition: int) -> list[range]:
        """The offsets that are left out."""
        return self._strips[partition].left_out

    def end(self, partition: int) -> int:
        """The offset after the partition's last record on the tape."""
        return self._strips[partition].next_offset

    def last_time(self, partition: int) -> int:
        """The highest record time (ms) of the partition, 0 where nothing is."""
        return self._strips[partition].last_time

    def records(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """The partition's records from `first` on, in order, without those that were left out."""
        left_out = self.left_out(partition)
        for record in self.all_records(partition, first):
            if not any(record.offset in gone for gone in left_out):
                yield record

    def all_records(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """As `records`, with those that were left out."""
        return self._strips[partition].read(first)

    def messages(self, partition: int, first: int = 0) -> Iterator[Taped]:
        """What machines sent, as `all_records`, without what a superseded bridge wrote."""
        for record in self.all_records(partition, first):
            if not record.superseded and mqtt_topic_of(record):
                yield record

    async def _keep_reading(self) -> None:
        while True:
            # Kafka is away: it comes back.
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
                        self._strips[tp.partition].append(record)

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

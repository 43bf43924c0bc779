"""The log at the start of a run: its highest time, its highest run, and the last deliveries that it holds.

Runs are numbered through the log. The fence of a run, a tick with its number in every partition, voids what
an older bridge that was frozen and thawed still writes behind it; the records before the fence are read back.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from bridge.deduplicator import Held, reach_of
from bridge.log_owner import LogOwner
from bridge.record import digest_of
from plant.log_clock import TrueTime
from runtime.partitions import misplaced, partitions_changed
from runtime.producer import REQUEST_MS, START_S
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.instant import LATEST
from schemas.raw import Kind, RawHeaders

TICKS = 500  # at most so many are among the deliveries read back
AS_RECORDED = TrueTime()


class Tail(NamedTuple):
    """The end of the log: highest record time in ms and highest run, both 0 if the log is empty.

    `client`: the client id that wrote that run; empty if no record names it.
    """

    received_at: int
    run: int
    client: str = ""


class SignOfLife(NamedTuple):
    """The last record of a partition: its offset, and who wrote it."""

    offset: int
    run: int
    client: str


async def read_tail(
    settings: Settings, ends: Mapping[TopicPartition, int] | None = None, true_time: TrueTime = AS_RECORDED
) -> Tail:
    """Read the last records of each partition, or the last before `ends`.

    Args:
        true_time: corrects records whose time in the log is wrong.
    Raises:
        Unavailable: Kafka does not answer.
        SettingsError: the number of partitions was changed after the log held records.
    """
    received_at, owner = 0, LogOwner()
    async with log_consumer(settings) as (consumer, deadline):
        before = ends or await consumer.end_offsets(consumer.assignment())
        async for record in last_records(consumer, deadline, before, depth_of(settings)):
            if record.timestamp <= LATEST:  # else no bridge wrote it, and readers ignore its time
                received_at = max(received_at, true_time.of(record.timestamp, run_of(record)))
            owner.take(record.partition, run_of(record), client_of(record))
            if (line := misplaced(record, settings.partitions)) is not None:
                raise partitions_changed(settings, line, settings.partitions)
    return Tail(received_at, owner.run, owner.client)


async def read_signs_of_life(settings: Settings, above: int) -> dict[int, SignOfLife]:
    """The last record of each partition whose last record is of a run above `above`.

    Raises:
        Unavailable: Kafka does not answer.
    """
    async with log_consumer(settings) as (consumer, deadline):
        ends = await consumer.end_offsets(consumer.assignment())
        last = {record.partition: record async for record in last_records(consumer, deadline, ends, 1)}
    signs = {
        number: SignOfLife(record.offset, run_of(record), client_of(record))
        for number, record in last.items()
    }
    return {number: sign for number, sign in signs.items() if sign.run > above}


async def read_gap(settings: Settings, where: TopicPartition, gap: tuple[int, int | None], above: int) -> int:
    """The first run above `above` that wrote in a gap [begin, end) of a partition; 0 if none did.

    Args:
        gap: without an end, up to the end of the log.
    Raises:
        Unavailable: Kafka does not answer, or retention deleted the gap.
    """
    async with log_consumer(settings) as (consumer, deadline):
        begin, end = gap
        if end is None:
            end = (await consumer.end_offsets([where]))[where]
        if (await consumer.beginning_offsets([where]))[where] > begin:
            raise Unavailable(
                f"topic {where.topic}[{where.partition}]: what others wrote from {begin} on has expired"
            )
        async for record in last_records(consumer, deadline, {where: end}, end - begin):
            if run_of(record) > above:
                return run_of(record)
    return 0


async def write_fence(producer: Any, settings: Settings, run: int, now: int) -> dict[TopicPartition, int]:
    """Write the fence of a run to every partition; return its offsets.

    Raises:
        Unavailable: Kafka does not store it.
    """
    topic = settings.topics.raw
    headers = RawHeaders(Kind.TICK, client=settings.mqtt_client_id, run=run).encode()
    try:
        async with asyncio.timeout(START_S):
            sent = [
                await producer.send(topic, b"", partition=number, timestamp_ms=now, headers=headers)
                for number in range(settings.partitions)
            ]
            stored = await asyncio.gather(*sent)
    except (KafkaError, TimeoutError) as error:
        raise _unavailable(settings, error) from error
    return {TopicPartition(topic, record.partition): record.offset for record in stored}


async def read_back(settings: Settings, fence: Mapping[TopicPartition, int]) -> list[Held]:
    """Our last deliveries at QoS 1 before the fence, without those of superseded runs.

    Raises:
        Unavailable: Kafka does not answer.
    """
    highest = dict.fromkeys(fence, 0)
    held = []
    async with log_consumer(settings) as (consumer, deadline):
        async for record in last_records(consumer, deadline, fence, depth_of(settings)):
            where = TopicPartition(record.topic, record.partition)
            run = run_of(record)
            if run < highest[where]:
                continue
            highest[where] = run
            delivery = _held(record, settings.mqtt_client_id)
            if delivery is not None:
                held.append(delivery)
    return held


def _held(record: ConsumerRecord, client: str) -> Held | None:
    try:
        headers = RawHeaders.decode(record.headers)
    except (ValueError, KeyError):
        return None  # no bridge wrote it
    if headers.kind is Kind.TICK or headers.mid == 0:
        return None
    if headers.client not in ("", client):
        return None  # packet ids of another session are unrelated to ours
    digest = headers.digest or digest_of(record.value or b"")
    return Held(headers.run, headers.seq, headers.mid, headers.topic, digest)


def run_of(record: ConsumerRecord) -> int:
    """The run that wrote a record; 0 if the record does not say."""
    run = dict(record.headers).get("run", b"0")
    return int(run) if run.isdigit() else 0


def client_of(record: ConsumerRecord) -> str:
    """The client id of the bridge that wrote a record; empty if the record does not say."""
    named: bytes = dict(record.headers).get("client", b"")
    return named.decode(errors="replace")


def depth_of(settings: Settings) -> int:
    """How many of a partition's last records a run reads back."""
    return reach_of(settings) + TICKS


async def last_records(
    consumer: Any, deadline: asyncio.Timeout, ends: Mapping[TopicPartition, int], depth: int
) -> AsyncIterator[ConsumerRecord]:
    """The last `depth` records of each partition before its end, in order.

    They may be large and many, so each fetch extends the deadline; else a bridge might never read them all.
    """
    begins = await consumer.beginning_offsets(list(ends))
    waiting = {tp for tp, end in ends.items() if end > begins[tp]}
    for tp in ends:
        consumer.seek(tp, max(begins[tp], ends[tp] - depth))
    while waiting:
        for tp, records in (await consumer.getmany(*waiting, timeout_ms=200)).items():
            deadline.reschedule(asyncio.get_running_loop().time() + START_S)
            for record in records:
                if record.offset < ends[tp]:
                    yield record
            if records and records[-1].offset >= ends[tp] - 1:
                waiting.discard(tp)


@asynccontextmanager
async def log_consumer(settings: Settings) -> AsyncIterator[tuple[Any, asyncio.Timeout]]:
    """A consumer of all partitions of the log, and its deadline, START_S, after which it gives up.

    Raises:
        Unavailable: Kafka does not answer in time.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(START_S) as deadline:
            await consumer.start()
            consumer.assign([TopicPartition(settings.topics.raw, p) for p in range(settings.partitions)])
            yield consumer, deadline
    except (KafkaError, TimeoutError) as error:
        raise _unavailable(settings, error) from error
    finally:
        await consumer.stop()


def _unavailable(settings: Settings, error: Exception) -> Unavailable:
    return Unavailable(f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}")

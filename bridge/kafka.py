"""The log at the start of a run: that it is there, how far its time has come, and a producer for it."""

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable

START_S = 15.0
REQUEST_MS = 10_000
BATCH_BYTES = 128 * 1024
FLUSH_S = 1.0


class Tail(NamedTuple):
    """The end of the log: highest record time in ms, 0 where the log is empty."""

    received_at: int


async def check_log(settings: Settings) -> None:
    """Make sure that the log is as `setup` made it.

    Raises:
        SettingsError: the topic is missing, or has another number of partitions.
        Unavailable: Kafka does not answer.
    """
    client = AIOKafkaClient(bootstrap_servers=settings.kafka_bootstrap_servers, request_timeout_ms=REQUEST_MS)
    try:
        async with asyncio.timeout(START_S):
            await client.bootstrap()
            # Asks for all topics: asking for one by name can create it, where the broker allows that.
            topics = await client.fetch_all_metadata()
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    finally:
        await client.close()
    found = topics.partitions_for_topic(settings.topics.raw) or set()
    where = f"topic {settings.topics.raw} on {settings.kafka_bootstrap_servers}"
    if not found:
        raise SettingsError(
            f"{where}: not there, {settings.partitions} partitions expected; run linepulse setup"
        )
    if len(found) != settings.partitions:
        raise SettingsError(
            f"{where}: {len(found)} partitions found, {settings.partitions} expected (LINEPULSE_PARTITIONS);"
            " set LINEPULSE_PARTITIONS to what it has, or take another LINEPULSE_TOPIC_PREFIX"
            " and run linepulse setup"
        )


async def read_tail(settings: Settings) -> Tail:
    """Read the last record of each partition.

    Raises:
        Unavailable: Kafka does not answer.
    """
    consumer = await _consumer(settings)
    try:
        async with asyncio.timeout(START_S):
            partitions = [TopicPartition(settings.topics.raw, p) for p in range(settings.partitions)]
            consumer.assign(partitions)
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            waiting = {tp for tp in partitions if ends[tp] > begins[tp]}
            for tp in partitions:
                consumer.seek(tp, max(begins[tp], ends[tp] - 1))
            highest = 0
            while waiting:
                for tp, records in (await consumer.getmany(*waiting, timeout_ms=200)).items():
                    waiting.discard(tp)
                    highest = max(highest, *(record.timestamp for record in records))
            return Tail(highest)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    finally:
        await consumer.stop()


async def open_producer(settings: Settings) -> Any:
    """A started producer that stores once and in order, or fails.

    Raises:
        Unavailable: Kafka does not answer, or has no idempotent producer.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(START_S):
            await producer.start()
            await producer.partitions_for(settings.topics.raw)
    except (KafkaError, TimeoutError) as error:
        await close_producer(producer)
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    return producer


async def close_producer(producer: Any) -> None:
    """Close it, whether Kafka answers or not.

    `stop` waits until everything is stored, which for an idempotent producer without Kafka is for ever; then
    what it still holds is given up, and with it this producer's identity.
    """
    stopping = asyncio.ensure_future(producer.stop())
    await asyncio.wait({stopping}, timeout=FLUSH_S)
    if not stopping.done():
        producer._sender.sender_task.cancel()
        producer._message_accumulator.fail_all(Unavailable("given up"))
        await producer.client.close()
        await asyncio.wait({stopping}, timeout=FLUSH_S)
    if not stopping.done():
        stopping.cancel()
        await asyncio.wait({stopping})
    if not stopping.cancelled():
        stopping.exception()  # a producer that ends badly ends all the same


async def _consumer(settings: Settings) -> Any:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(START_S):
            await consumer.start()
    except (KafkaError, TimeoutError) as error:
        await consumer.stop()
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    return consumer

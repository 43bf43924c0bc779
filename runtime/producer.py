"""An idempotent Kafka producer: it starts in START_S or fails, and closes whether Kafka answers or not."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from runtime.settings import Settings
from schemas.errors import Unavailable

START_S = 15.0
REQUEST_MS = 10_000
FLUSH_S = 1.0


Record = tuple[bytes, bytes | None, int | None]
"""A record's key, its value, and its time in ms; None: now."""


async def open_producer(settings: Settings, batch_bytes: int, request_ms: int = REQUEST_MS) -> Any:
    """A started producer that stores each batch once and in order, or fails.

    Args:
        batch_bytes: the largest batch of more than one record.
        request_ms: how long an answer of Kafka is waited for; and, where the producer is not idempotent, for
            how long a batch is tried.

    Raises:
        Unavailable: Kafka does not answer, or has no idempotent producer.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        max_batch_size=batch_bytes,
        request_timeout_ms=request_ms,
    )
    try:
        async with asyncio.timeout(START_S):
            await producer.start()
    except (KafkaError, TimeoutError) as error:
        await close_producer(producer)
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    return producer


async def send_batches(
    producer: Any, topic: str, partition: int, records: Iterable[Record]
) -> list["asyncio.Future[RecordMetadata]"]:
    """Send records in batches made here, because sending them one by one costs three times as much.

    Returns:
        Kafka's answers to the batches, to be awaited.
    """
    answers: list[asyncio.Future[RecordMetadata]] = []
    batch = producer.create_batch()
    for key, value, timestamp in records:
        if batch.append(key=key, value=value, timestamp=timestamp) is None:
            answers.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            # A batch takes its first record whatever its size: a payload of 64 MiB, in base64.
            batch.append(key=key, value=value, timestamp=timestamp)
    if batch.record_count():
        answers.append(await producer.send_batch(batch, topic, partition=partition))
    return answers


async def close_producer(producer: Any) -> None:
    """Close a producer, whether Kafka answers or not.

    `stop` waits until everything is stored: for ever, if the producer is idempotent and Kafka is away. After
    FLUSH_S what it still holds is discarded, and with it this producer's identity.
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
        stopping.exception()  # retrieved, so that asyncio does not log it: it is closed all the same

"""An idempotent Kafka producer: it starts in START_S or fails, and closes whether Kafka answers or not."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.settings import Settings
from schemas.errors import Unavailable

START_S = 15.0
REQUEST_MS = 10_000
FLUSH_S = 1.0


async def open_producer(settings: Settings, batch_bytes: int) -> Any:
    """A started producer that stores each batch once and in order, or fails.

    Args:
        batch_bytes: the largest batch of more than one record.

    Raises:
        Unavailable: Kafka does not answer, or has no idempotent producer.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        max_batch_size=batch_bytes,
        request_timeout_ms=REQUEST_MS,
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

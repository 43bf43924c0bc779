"""The log at the start of a run: how far its time has come."""

import asyncio
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.producer import REQUEST_MS, START_S
from runtime.settings import Settings
from schemas.errors import Unavailable


class Tail(NamedTuple):
    """The end of the log: highest record time in ms, 0 where the log is empty."""

    received_at: int


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

"""Whether the live tables have caught up with the log: rows on their way must not count as differences."""

import asyncio
import time
from collections.abc import Mapping

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from rebuild.database import connect
from runtime.log_end import Logs
from runtime.settings import Settings
from runtime.sql import statement
from schemas.errors import Unavailable
from streams.changelog import app_name

QUIET_S = 10.0  # roles whose position does not move for so long are taken to stand still
EVERY_S = 0.3


async def live_tables_caught_up(settings: Settings, generation: int, ends: Mapping[int, int]) -> bool:
    """Wait until the live roles have applied the raw log up to `ends`; False if they stand still before.

    Raises:
        Unavailable: Kafka or PostgreSQL does not answer.
    """
    if not await _streams_reach(settings, generation, ends):
        return False
    partitions = [
        TopicPartition(topic, number)
        for topic in settings.topics.derived
        for number in range(settings.partitions)
    ]
    derived = await Logs(settings.kafka_bootstrap_servers).ends(partitions)
    with await asyncio.to_thread(connect, settings.database_url) as connection:
        return await _sinks_reach(connection, derived)


async def _streams_reach(settings: Settings, generation: int, ends: Mapping[int, int]) -> bool:
    """By the offsets that the group committed: they may lag behind, but are never ahead."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=f"{settings.topic_prefix}-{app_name(generation)}",  # asked about, not joined
        enable_auto_commit=False,
    )
    quiet = _Quiet()
    try:
        await consumer.start()
        wanted = {TopicPartition(settings.topics.raw, partition): end for partition, end in ends.items()}
        consumer.assign(list(wanted))
        while True:
            positions = {tp: await consumer.committed(tp) or 0 for tp in wanted}
            if all(positions[tp] >= end for tp, end in wanted.items()):
                return True
            if quiet.seconds(sum(positions.values())) > QUIET_S:
                return False
            await asyncio.sleep(EVERY_S)
    except KafkaError as error:
        raise Unavailable(f"KAFKA_BOOTSTRAP_SERVERS: Kafka stopped answering ({error!r})") from error
    finally:
        await consumer.stop()


async def _sinks_reach(connection: psycopg.Connection, ends: Mapping[TopicPartition, int]) -> bool:
    quiet = _Quiet()
    while True:
        rows = connection.execute(statement("cursors.all")).fetchall()
        connection.commit()
        positions = {TopicPartition(topic, partition): offset for topic, partition, offset in rows}
        if all(positions.get(tp, 0) >= end for tp, end in ends.items()):
            return True
        if quiet.seconds(sum(positions.values())) > QUIET_S:
            return False
        await asyncio.sleep(EVERY_S)


class _Quiet:
    """Measures for how long a sum of positions has not changed."""

    def __init__(self) -> None:
        self._sum = -1
        self._at = time.monotonic()

    def seconds(self, total: int) -> float:
        """Seconds since the sum took the value `total`."""
        if total != self._sum:
            self._sum, self._at = total, time.monotonic()
        return time.monotonic() - self._at

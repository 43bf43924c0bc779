"""Reads records of one partition from Kafka, without a consumer group and without Faust."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from runtime.settings import Settings
from schemas.errors import Unavailable

AT_ONCE = 5000  # records that are applied together
FETCH_BYTES = 4 * 1024 * 1024
SILENT_S = 30.0  # Kafka has the records asked for; if none comes for so long, it is away


@asynccontextmanager
async def raw_log(settings: Settings) -> AsyncIterator["RawLog"]:
    """The raw log, open for reading.

    Raises:
        Unavailable: Kafka does not answer, or stopped answering.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=FETCH_BYTES,
        fetch_max_wait_ms=200,
    )
    try:
        async with asyncio.timeout(SILENT_S):
            await consumer.start()
        yield RawLog(consumer, settings)
    except (TimeoutError, KafkaError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(
            f"KAFKA_BOOTSTRAP_SERVERS: {settings.kafka_bootstrap_servers} stopped answering ({why});"
            " start Kafka, and run the command again: it goes on from there"
        ) from error
    finally:
        await consumer.stop()


class RawLog:
    """Reads one partition at a time."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._topic = settings.topics.raw

    async def records(
        self, partition: int, first: int, end: int, *, fresh: bool
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """The records [first, end) in order, in parts of at most AT_ONCE.

        Args:
            fresh: nothing before `first` was read. Then the first record may be a later one, if the log's
                beginning has expired meanwhile.
        Raises:
            Unavailable: the records to be read next have expired.
        """
        if first >= end:
            return
        where = TopicPartition(self._topic, partition)
        self._consumer.assign([where])
        self._consumer.seek(where, first)
        while first < end:
            async with asyncio.timeout(SILENT_S):
                records = await self._some(where)
            if records[-1].offset >= end:
                records = [record for record in records if record.offset < end]
            if not records:
                return
            if records[0].offset != first and not fresh:
                raise Unavailable(
                    f"{self._topic}[{partition}]: records {first} to {records[0].offset - 1} expired before"
                    " they were read; run the command again: it begins anew"
                )
            first, fresh = records[-1].offset + 1, False
            yield records

    async def _some(self, where: TopicPartition) -> list[ConsumerRecord]:
        while True:
            found = await self._consumer.getmany(where, timeout_ms=1000, max_records=AT_ONCE)
            if records := found.get(where):
                return list(records)

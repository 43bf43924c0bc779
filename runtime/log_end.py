"""Where partitions really end, and whether their log is still the one that was applied."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.errors import Unavailable

ANSWER_S = 15.0


class Applied(NamedTuple):
    """The last record of a partition that a store has applied: its offset, and its time in ms if known."""

    offset: int
    time: int | None


async def fetched_ends(servers: str, listed: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition, as a fetch reports it.

    A broker that lists offsets by batch (the embedded one does) answers ListOffsets with the offset of the
    first record of its last batch, so a listed end can be lower than what was read long ago. A fetch returns
    the exact end.

    Args:
        listed: the ends from ListOffsets.
    Raises:
        Unavailable: Kafka does not answer.
    """
    found = dict.fromkeys(listed, 0)
    asked = {tp for tp, end in listed.items() if end > 0}
    if not asked:
        return found
    async with _consumer(servers) as consumer:
        consumer.assign(list(asked))
        for tp in asked:
            consumer.seek(tp, listed[tp] - 1)
        while asked:
            await consumer.getmany(timeout_ms=100, max_records=1)
            for tp in list(asked):
                if (end := consumer.highwater(tp)) is not None:
                    found[tp] = end
                    asked.discard(tp)
    return found


class Logs:
    """Questions to Kafka about partitions; each opens a connection of its own."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    async def ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record of each partition, as a fetch reports it.

        Raises:
            Unavailable: Kafka does not answer.
        """
        if not partitions:
            return {}
        async with _consumer(self._servers) as consumer:
            listed = await consumer.end_offsets(list(partitions))
        return await fetched_ends(self._servers, listed)

    async def begins(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset of the first record that each partition still holds.

        Raises:
            Unavailable: Kafka does not answer.
        """
        if not partitions:
            return {}
        async with _consumer(self._servers) as consumer:
            begins: dict[TopicPartition, int] = await consumer.beginning_offsets(list(partitions))
        return begins

    async def others(self, applied: Mapping[TopicPartition, Applied]) -> set[TopicPartition]:
        """The partitions whose log is not the one that was applied.

        It ends before the last applied record, or has another record at that offset. If retention deleted
        that record, the log counts as the same.

        Raises:
            Unavailable: Kafka does not answer.
        """
        others: set[TopicPartition] = set()
        if not applied:
            return others
        async with _consumer(self._servers) as consumer:
            begins = await consumer.beginning_offsets(list(applied))
            asked = {tp for tp in applied if applied[tp].offset >= begins[tp]}
            consumer.assign(list(asked))
            for tp in asked:
                consumer.seek(tp, applied[tp].offset)
            while asked:
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    if tp in asked and _another(records[0], applied[tp]):
                        others.add(tp)
                    asked.discard(tp)
                for tp in list(asked):  # an offset at the very end is valid, but no record arrives
                    if (end := consumer.highwater(tp)) is not None and end <= applied[tp].offset:
                        others.add(tp)
                        asked.discard(tp)
        return others


def _another(found: ConsumerRecord, applied: Applied) -> bool:
    if found.offset == applied.offset:
        return applied.time is not None and found.timestamp != applied.time
    # Before it: the client was reset to the start, because the log ends earlier. After it: it has expired.
    return bool(found.offset < applied.offset)


@asynccontextmanager
async def _consumer(servers: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group that fetches as little as possible; it gives up after ANSWER_S."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4096,  # Kafka returns one batch at least, and no more is needed
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            yield consumer
    except (TimeoutError, KafkaError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"Kafka {servers} does not answer about its log: {why}") from None
    finally:
        await consumer.stop()

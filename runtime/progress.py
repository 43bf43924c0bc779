"""How far the bridge and the stream stage have come in the raw log, asked of Kafka from outside."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)

from runtime.settings import Settings
from schemas.errors import Unavailable

ANSWER_S = 8.0
RECORD_BYTES = 4096  # Kafka returns one batch at least, and no more is needed


@dataclass(frozen=True)
class Progress:
    """The raw log at one moment, by partition.

    Attributes:
        ends: the offset after the last record; of the embedded broker, the start of its last batch.
        times: of the newest record (ms, the bridge's clock), if there is one.
        applied: the next offset to apply, as the stream stage's group has committed it: a hint, exact enough
            to see that it moves.
    """

    ends: Mapping[int, int]
    times: Mapping[int, int]
    applied: Mapping[int, int]

    def has_read_all(self, partition: int) -> bool:
        """Whether the stream stage has nothing left to do."""
        return self.applied.get(partition, 0) >= self.ends[partition]


async def progress(settings: Settings, generation: int) -> Progress:
    """Ask Kafka, over connections made for this one question.

    Args:
        generation: of the rules in force; the progress is that of its stream stage.
    Raises:
        Unavailable: Kafka does not answer.
    """
    servers = settings.kafka_bootstrap_servers
    partitions = [TopicPartition(settings.topics.raw, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        max_partition_fetch_bytes=RECORD_BYTES,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            ends = await consumer.end_offsets(partitions)
            times = await _newest(consumer, ends)
            await admin.start()
            committed = await _committed(admin, settings.topics.group(generation), partitions)
    except (KafkaError, TimeoutError, OSError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"Kafka {servers} does not report how far its log has come: {why}") from None
    finally:
        await consumer.stop()
        await admin.close()
    return Progress(
        {tp.partition: end for tp, end in ends.items()},
        times,
        committed,
    )


async def _committed(
    admin: AIOKafkaAdminClient, group: str, partitions: list[TopicPartition]
) -> dict[int, int]:
    """What a group has committed; empty if Kafka has no coordinator for it yet."""
    try:
        found = await admin.list_consumer_group_offsets(group, partitions=partitions)
    except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError):
        return {}
    return {tp.partition: at.offset for tp, at in found.items() if at.offset >= 0}


async def _newest(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> dict[int, int]:
    """When the newest record of each partition was written."""
    asked = {tp for tp, end in ends.items() if end > 0}
    times: dict[int, int] = {}
    consumer.assign(list(asked))
    for tp in asked:
        consumer.seek(tp, ends[tp] - 1)
    while asked:
        for tp, records in (await consumer.getmany(timeout_ms=100)).items():
            times[tp.partition] = records[-1].timestamp
            asked.discard(tp)
        # If the record was deleted just now, none arrives.
        asked -= {tp for tp in asked if (end := consumer.highwater(tp)) is not None and end < ends[tp]}
    return times

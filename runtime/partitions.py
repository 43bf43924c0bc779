"""The number of partitions of a log: fixed for its life, because a line's records must stay together.

A line's name leads to its partition, by a checksum and the number of partitions. Where that number is
changed, about half of the lines go on in another partition, and have a second state and order there.
"""

import asyncio
from functools import lru_cache
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from runtime.producer import REQUEST_MS, START_S
from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable

LOOKED_AT = 500  # of each partition's last records
_LINES_KNOWN = 4096
_partitioner = DefaultPartitioner()


class Moved(NamedTuple):
    """A line whose records are in a partition to which its name does not lead."""

    line: str
    partition: int
    leads_to: int


@lru_cache(_LINES_KNOWN)
def partition_of(key: bytes, partitions: int) -> int:
    """Where every Kafka client's default partitioner puts a key."""
    numbers = list(range(partitions))
    return int(_partitioner(key, numbers, numbers))


def moved(record: ConsumerRecord, partitions: int) -> Moved | None:
    """The line of a record that a bridge wrote, if so many partitions would not place it there."""
    if record.key is None or not any(name == "run" for name, _ in record.headers):
        return None
    leads_to = partition_of(record.key, partitions)
    if leads_to == record.partition:
        return None
    return Moved(record.key.decode(errors="replace"), record.partition, leads_to)


def raised(settings: Settings, line: Moved, partitions: int) -> SettingsError:
    """The number of partitions of the log was changed after it held records."""
    return SettingsError(
        f"topic {settings.topics.raw} on {settings.kafka_bootstrap_servers} has {partitions} partitions, and"
        f" holds records of line {line.line} in partition {line.partition}, where {partitions} would place it"
        f" in {line.leads_to}: its number of partitions was changed after it held records. That number is"
        " fixed for the life of a log, because a line's records must stay in one partition, and Kafka takes"
        " none away: choose another LINEPULSE_TOPIC_PREFIX, with LINEPULSE_PARTITIONS as you want it, and run"
        " linepulse setup, which begins a new log; what PostgreSQL holds stays there"
    )


async def other_count(settings: Settings, topic: str, found: int, expected: int) -> str:
    """What to do about a topic that has `found` partitions and not those expected.

    Raises:
        Unavailable: Kafka does not answer.
    """
    has = f"topic {topic} has {found} partitions, {expected} expected, on {settings.kafka_bootstrap_servers}"
    if topic != settings.topics.raw:
        return (
            f"{has}: if only this topic differs, delete it and run linepulse setup, and what it held is sent"
            f" again; if {settings.topics.raw} has {found}, too, mend that first"
        )
    line = await line_elsewhere(settings, found)
    if line is not None:
        return f"{has}; {raised(settings, line, found)}"
    return (
        f"{has}: the number is fixed for the life of a log; set LINEPULSE_PARTITIONS={found}, with which it"
        " was made, or choose another LINEPULSE_TOPIC_PREFIX and run linepulse setup"
    )


async def line_elsewhere(settings: Settings, partitions: int) -> Moved | None:
    """A line in the last records of the log that is not where so many partitions place it.

    Raises:
        Unavailable: Kafka does not answer.
    """
    wheres = [TopicPartition(settings.topics.raw, number) for number in range(partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(START_S) as deadline:
            await consumer.start()
            consumer.assign(wheres)
            ends = await consumer.end_offsets(wheres)
            begins = await consumer.beginning_offsets(wheres)
            for where in wheres:
                consumer.seek(where, max(begins[where], ends[where] - LOOKED_AT))
            waiting = {where for where in wheres if ends[where] > begins[where]}
            while waiting:
                for where, records in (await consumer.getmany(*waiting, timeout_ms=200)).items():
                    deadline.reschedule(asyncio.get_running_loop().time() + START_S)
                    for record in records:
                        if (line := moved(record, partitions)) is not None:
                            return line
                    if records[-1].offset >= ends[where] - 1:
                        waiting.discard(where)
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka {settings.kafka_bootstrap_servers}: {error or type(error).__name__}"
        ) from error
    finally:
        await consumer.stop()
    return None

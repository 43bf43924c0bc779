"""The number of partitions of a log: fixed for its life, because a line's records must stay in one of them.

A line's partition follows from a checksum of its name and the number of partitions. If that number is
changed, about half of the lines continue in another partition, with a second state and a second order there.
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

SAMPLED = 500  # of each partition's last records are read
_LINES_KNOWN = 4096
_partitioner = DefaultPartitioner()


class Misplaced(NamedTuple):
    """A line whose records are in another partition than its name belongs to."""

    line: str
    partition: int
    leads_to: int


@lru_cache(_LINES_KNOWN)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that every Kafka client's default partitioner chooses for a key."""
    numbers = list(range(partitions))
    return int(_partitioner(key, numbers, numbers))


def misplaced(record: ConsumerRecord, partitions: int) -> Misplaced | None:
    """The line of a record, if a bridge wrote it and its key belongs elsewhere among so many partitions."""
    if record.key is None or not any(name == "run" for name, _ in record.headers):
        return None
    leads_to = partition_of(record.key, partitions)
    if leads_to == record.partition:
        return None
    return Misplaced(record.key.decode(errors="replace"), record.partition, leads_to)


def partitions_changed(settings: Settings, line: Misplaced, partitions: int) -> SettingsError:
    """The error that the number of partitions was changed after the log held records."""
    return SettingsError(
        f"topic {settings.topics.raw} on {settings.kafka_bootstrap_servers} has {partitions} partitions, and"
        f" holds records of line {line.line} in partition {line.partition}, where {partitions} would place it"
        f" in {line.leads_to}: its number of partitions was changed after it held records. That number is"
        " fixed for the life of a log, because a line's records must stay in one partition, and Kafka takes"
        " none away: choose another LINEPULSE_TOPIC_PREFIX, with LINEPULSE_PARTITIONS as you want it, and run"
        " linepulse setup, which begins a new log; what PostgreSQL holds stays there"
    )


async def wrong_partition_count(settings: Settings, topic: str, found: int, expected: int) -> str:
    """What is wrong with a topic that has `found` partitions instead of `expected`, and what to do.

    Raises:
        Unavailable: Kafka does not answer.
    """
    has = f"topic {topic} has {found} partitions, {expected} expected, on {settings.kafka_bootstrap_servers}"
    if topic != settings.topics.raw:
        return (
            f"{has}: if only this topic differs, delete it and run linepulse setup, and what it held is sent"
            f" again; if {settings.topics.raw} has {found}, too, mend that first"
        )
    line = await find_misplaced_line(settings, found)
    if line is not None:
        return f"{has}; {partitions_changed(settings, line, found)}"
    return (
        f"{has}: the number is fixed for the life of a log; set LINEPULSE_PARTITIONS={found}, with which it"
        " was made, or choose another LINEPULSE_TOPIC_PREFIX and run linepulse setup"
    )


async def find_misplaced_line(settings: Settings, partitions: int) -> Misplaced | None:
    """A line in the last records of the log whose partition is wrong for so many partitions; None: none.

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
                consumer.seek(where, max(begins[where], ends[where] - SAMPLED))
            waiting = {where for where in wheres if ends[where] > begins[where]}
            while waiting:
                for where, records in (await consumer.getmany(*waiting, timeout_ms=200)).items():
                    deadline.reschedule(asyncio.get_running_loop().time() + START_S)
                    for record in records:
                        if (line := misplaced(record, partitions)) is not None:
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

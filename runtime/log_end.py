"""Where partitions of the log really end, and what stands at a place in them."""

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Unavailable

ANSWER_S = 15.0


async def fetched_ends(servers: str, listed: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The offset after the last record of each partition, as a fetch tells it.

    A broker that lists offsets by batch (the embedded one does) answers ListOffsets with the place of its
    last batch's first record, so a listed end may lie below what was read long ago. A fetch knows better.

    Args:
        listed: what ListOffsets said.
    Raises:
        Unavailable: Kafka does not answer.
    """
    ends = dict.fromkeys(listed, 0)
    asked = {tp for tp, end in listed.items() if end > 0}
    if not asked:
        return ends
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            consumer.assign(list(asked))
            for tp in asked:
                consumer.seek(tp, listed[tp] - 1)
            while asked:
                await consumer.getmany(timeout_ms=100, max_records=1)
                for tp in list(asked):
                    if (end := consumer.highwater(tp)) is not None:
                        ends[tp] = end
                        asked.discard(tp)
    except TimeoutError:
        raise Unavailable(f"Kafka does not tell where {sorted(asked)} end") from None
    finally:
        await consumer.stop()
    return ends


async def record_times(servers: str, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The times (ms) of single records; those that the log does not hold (any more) are left out.

    Raises:
        Unavailable: Kafka does not answer.
    """
    times: dict[TopicPartition, int] = {}
    asked = set(offsets)
    if not asked:
        return times
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4096,  # a batch is the least that Kafka hands over, and all that is wanted
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await consumer.start()
            consumer.assign(list(asked))
            for tp in asked:
                consumer.seek(tp, offsets[tp])
            while asked:
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    if tp in asked and records[0].offset == offsets[tp]:
                        times[tp] = records[0].timestamp
                    asked.discard(tp)
                for tp in list(asked):  # an offset at the very end is valid, and brings nothing
                    if (end := consumer.highwater(tp)) is not None and end <= offsets[tp]:
                        asked.discard(tp)
    except TimeoutError:
        raise Unavailable(f"Kafka does not tell the times of records in {sorted(asked)}") from None
    finally:
        await consumer.stop()
    return times

"""Finds an event of an older release that the sinks can't write: only a rebuild helps."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.rules_in_force import rules_in_database
from runtime.settings import Settings
from sinks.decode import OlderReleaseEvent, Reader
from sinks.tables import tables_of

ANSWER_MS = 2000


async def older_event(settings: Settings, positions: Mapping[TopicPartition, int]) -> str | None:
    """What is wrong with the first such event at the sinks' `positions`, and what to do; None: nothing."""
    if not positions:
        return None  # and a consumer that was never assigned anything can't be stopped
    live = rules_in_database(settings.database_url)
    readers = {topic: Reader(table.event) for topic, table in tables_of(settings.topics).items()}
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        for where, offset in positions.items():
            consumer.assign([where])
            consumer.seek(where, offset)
            for records in (await consumer.getmany(timeout_ms=ANSWER_MS, max_records=1)).values():
                (found,) = readers[where.topic].read(records)
                if (
                    isinstance(found, OlderReleaseEvent)
                    and live is not None
                    and found.generation == live.generation
                ):
                    return (
                        f"{where.topic}[{where.partition}] waits before no. {offset}, an event of an older"
                        f" release without {', '.join(found.lacks)}; run linepulse rebuild"
                    )
    finally:
        await consumer.stop()
    return None

"""The stream stage's positions, read from its changelog while none of its workers runs."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import rules_in_force
from runtime.settings import Settings
from schemas.state import decode
from streams.changelog import changelog


async def positions(settings: Settings) -> dict[int, range]:
    """For each partition of the raw log, the lowest and the highest next offset of its lines."""
    topic = changelog(settings.topic_prefix, (await rules_in_force(settings)).generation)
    where = [TopicPartition(topic, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    newest: dict[bytes, bytes | None] = {}
    await consumer.start()
    try:
        consumer.assign(where)
        for tp, end in (await consumer.end_offsets(where)).items():
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, []):
                    newest[record.key] = record.value
    finally:
        await consumer.stop()
    found: dict[int, range] = {}
    for state in (decode(value) for value in newest.values() if value is not None):
        known = found.get(state.partition, range(state.offset + 1, state.offset + 1))
        found[state.partition] = range(min(known.start, state.offset + 1), max(known.stop, state.offset + 1))
    return found

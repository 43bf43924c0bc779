"""The end of a partition, on every broker."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from runtime.log_end import Applied, Logs, fetched_ends
from tests.services import Services

pytestmark = pytest.mark.both

BEGIN = 1_737_123_456_000


async def test_the_end_is_after_the_last_record_of_the_last_batch(services: Services):
    """Also where the broker lists offsets by batch; an empty partition ends at 0."""
    settings = services.settings()
    servers = settings.kafka_bootstrap_servers
    full, empty = (TopicPartition(settings.topics.samples, partition) for partition in (0, 1))
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=50)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers)
    await producer.start()
    await consumer.start()
    for sent in [await producer.send(full.topic, b"x", partition=0) for _ in range(10)]:
        await sent
    listed = await consumer.end_offsets([full, empty])
    await producer.stop()
    await consumer.stop()
    assert await fetched_ends(servers, listed) == {full: 10, empty: 0}


async def test_another_log_is_told_by_what_stands_in_the_place_of_the_last_applied_record(services: Services):
    """Another time at that offset, or no record; an unknown time proves nothing."""
    settings = services.settings(partitions=5)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    topic = settings.topics.raw
    for number in range(3):
        for partition in range(4):
            await producer.send_and_wait(topic, b"x", partition=partition, timestamp_ms=BEGIN + number)
    await producer.stop()
    same, unknown, other, short, empty = (TopicPartition(topic, partition) for partition in range(5))
    applied = {
        same: Applied(1, BEGIN + 1),
        unknown: Applied(1, None),
        other: Applied(1, BEGIN),
        short: Applied(3, None),
        empty: Applied(0, BEGIN),
    }
    assert await Logs(settings.kafka_bootstrap_servers).others(applied) == {other, short, empty}


async def test_what_retention_deleted_speaks_against_no_log(services: Services):
    """Also if no record is left: a quiet topic after a week."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker deletes nothing")
    settings = services.settings(partitions=2)
    some, none = (TopicPartition(settings.topics.raw, partition) for partition in range(2))
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    for number in range(4):
        for where in (some, none):
            await producer.send_and_wait(
                where.topic, b"x", partition=where.partition, timestamp_ms=BEGIN + number
            )
    await producer.stop()
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_records(
        {some: RecordsToDelete(before_offset=3), none: RecordsToDelete(before_offset=4)}
    )
    await admin.close()
    logs = Logs(settings.kafka_bootstrap_servers)
    assert await logs.others({some: Applied(1, BEGIN), none: Applied(3, BEGIN)}) == set()
    assert await logs.others({some: Applied(3, BEGIN)}) == {some}
    assert await logs.ends([some, none]) == {some: 4, none: 4}

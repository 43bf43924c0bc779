"""Where a partition ends, on every broker."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.log_end import fetched_ends, record_times
from tests.services import Services

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


async def test_a_records_time_is_known_where_the_log_holds_it(services: Services):
    """Beyond the end, and in an empty partition, there is none."""
    settings = services.settings(partitions=3)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    topic = settings.topics.raw
    for number in range(3):
        await producer.send_and_wait(topic, b"x", partition=0, timestamp_ms=BEGIN + number)
        await producer.send_and_wait(topic, b"x", partition=1, timestamp_ms=BEGIN + number)
    await producer.stop()
    first, second, empty = (TopicPartition(topic, partition) for partition in range(3))
    asked = {first: 1, second: 3, empty: 0}
    assert await record_times(settings.kafka_bootstrap_servers, asked) == {first: BEGIN + 1}

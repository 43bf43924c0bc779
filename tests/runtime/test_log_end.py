"""Where a partition ends, on every broker."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.log_end import fetched_ends
from tests.services import Services


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

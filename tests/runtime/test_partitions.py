"""A log whose number of partitions was changed later is distinguished from one that was made with it."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewPartitions

from bridge.kafka import read_tail
from runtime.kafka import require_topics
from runtime.partitions import Misplaced, find_misplaced_line, partition_of
from runtime.settings import Settings, SettingsError
from runtime.topics import admin
from schemas.raw import Kind, RawHeaders
from tests.services import Services

pytestmark = pytest.mark.both

LINES = [f"ligne{number}" for number in range(1, 9)]


async def write(settings: Settings, partitions: int) -> None:
    """A message of each line, where a bridge with so many partitions puts it; and some of another program."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    try:
        for line in LINES:
            key = line.encode()
            headers = RawHeaders(Kind.DATA, f"production/{line}/data", run=1).encode()
            await producer.send_and_wait(
                settings.topics.raw, b"{}", key=key, partition=partition_of(key, partitions), headers=headers
            )
        for partition in range(partitions):
            await producer.send_and_wait(settings.topics.raw, b"{}", key=b"stranger", partition=partition)
    finally:
        await producer.stop()


def test_the_partition_of_a_line_follows_from_the_number() -> None:
    """Six to twelve: a line stays, or goes six further; the figures are those of Kafka's own clients."""
    assert [partition_of(b"ligne%d" % number, 6) for number in range(1, 7)] == [5, 3, 3, 1, 5, 5]
    assert all(partition_of(b"l%d" % n, 12) - partition_of(b"l%d" % n, 6) in (0, 6) for n in range(100))


async def test_a_log_that_was_made_with_another_number_tells_which_to_set(services: Services) -> None:
    """Its lines are in the partitions of that number; records of other programs are ignored."""
    settings = services.settings(database_url="postgresql://none/none", partitions=4)
    await write(settings, 4)
    assert await find_misplaced_line(settings, 4) is None
    with pytest.raises(SettingsError, match=r"has 4 partitions, 6 expected, .* set LINEPULSE_PARTITIONS=4,"):
        await require_topics(settings.model_copy(update={"partitions": 6}), [settings.topics.raw])


async def test_a_log_whose_partitions_were_raised_is_refused_whatever_is_set(services: Services) -> None:
    """No message advises the new number; a bridge that is given it does not start."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka can't raise a topic's partitions")
    settings = services.settings(database_url="postgresql://none/none", partitions=2)
    await write(settings, 2)
    async with admin(settings) as client:
        await client.create_partitions({settings.topics.raw: NewPartitions(4)})
    with pytest.raises(SettingsError, match="was changed after it held records") as refused:
        await require_topics(settings, [settings.topics.raw])
    assert "LINEPULSE_PARTITIONS=4" not in str(refused.value)
    with pytest.raises(SettingsError, match="choose another LINEPULSE_TOPIC_PREFIX"):
        await read_tail(settings.model_copy(update={"partitions": 4}))
    assert isinstance(await find_misplaced_line(settings, 4), Misplaced)

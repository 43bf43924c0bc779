"""Line states go to the changelog in batches, in order; the worker learns if they are not stored."""

from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from streams.state_log import StateLog
from tests.eventually import eventually
from tests.services import Services

TABLE = SimpleNamespace(data={}, values=lambda: [])


@pytest.mark.both
async def test_what_is_sent_in_one_step_is_stored_in_its_order(services: Services) -> None:
    """A deletion included; what is sent in the next step comes behind it."""
    settings = services.settings()
    topic, found = settings.topics.samples, list[tuple[bytes, bytes | None]]()
    states = StateLog(settings, topic, TABLE)
    first = [(b"a", b"1"), (b"b", b"1"), (b"a", None), (b"/2", b"own")]
    answers = {states.send_changelog(2, key, value) for key, value in first}
    assert len(answers) == 1
    await answers.pop()
    await states.send_changelog(2, b"b", b"2")
    await states.stop()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 2)])

        async def all_read() -> bool:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found.extend((record.key, record.value) for record in records)
            return len(found) >= len(first) + 1

        await eventually(all_read, "the entries")
    finally:
        await consumer.stop()
    assert found == [*first, (b"b", b"2")]


async def test_where_kafka_is_away_the_answer_says_so() -> None:
    """The worker ends, and another one continues from what is durable."""
    settings = Settings(_env_file=None, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    states = StateLog(settings, "nowhere", TABLE)
    with pytest.raises(KafkaError):
        await states.send_changelog(0, b"a", b"1")
    await states.stop()

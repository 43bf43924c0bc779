"""The changelog that Faust makes on a real Kafka: what it holds does not grow with the log's age."""

import time

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.settings import Settings
from streams.changelog import CONFIG, changelog
from tests.services import Services
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import all_samples, messages, settings_of

pytestmark = pytest.mark.both


async def config_of(settings: Settings, topic: str) -> dict[str, str]:
    """The configuration that Kafka reports for a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    (found,) = answer.resources
    assert found[0] == 0, found
    return {entry[0]: entry[1] for entry in found[4]}


async def test_kafka_compacts_it_in_small_segments(services: Services) -> None:
    """As Kafka reports it for the topic that a worker created."""
    if services.kind == "embedded":
        pytest.skip("the embedded broker keeps no segments")
    settings = settings_of(services)
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with Worker(settings):
            await log.write(messages(1, int(time.time() * 1000) - 60_000))
            await all_samples(derived, 5)
    found = await config_of(settings, changelog(settings.topic_prefix, 1))
    assert found["cleanup.policy"] == "compact"
    assert {name: found[name] for name in CONFIG} == CONFIG

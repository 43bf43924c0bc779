"""What happens to topics in a plant."""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.settings import Settings
from runtime.topics import create_topics
from tests.eventually import eventually


async def make_anew(settings: Settings, topic: str) -> None:
    """Delete a topic, and let `setup` make it again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_topics([topic])

    async def gone() -> bool:
        return topic not in await admin.list_topics()

    await eventually(gone, "the topic's end")
    await admin.close()
    await create_topics(settings)


async def refuse(settings: Settings, topics: Iterable[str], *, copies: int = 2) -> None:
    """Have one Kafka node refuse what is sent to topics, by asking for more copies than it can make.

    What was set of them otherwise is forgotten. `copies=1` has it take all again.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        wanted = {"min.insync.replicas": str(copies)}
        answers = await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, configs=wanted) for topic in topics]
        )
        assert all(code == 0 for answer in answers for code, *_ in answer.resources), answers
    finally:
        await admin.close()

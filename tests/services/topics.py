"""What happens to topics in a plant."""

from aiokafka.admin import AIOKafkaAdminClient

from linepulse.topics import create_topics
from runtime.settings import Settings
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

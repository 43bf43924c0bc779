"""The topics at a role's start: there, and with the number of partitions that `setup` gave them."""

import asyncio
from collections.abc import Iterable

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable

ANSWER_S = 15.0
REQUEST_MS = 10_000


async def check_topics(settings: Settings, names: Iterable[str]) -> None:
    """Make sure that topics are as `setup` made them.

    Raises:
        SettingsError: one is missing, or has another number of partitions.
        Unavailable: Kafka does not answer.
    """
    servers = settings.kafka_bootstrap_servers
    client = AIOKafkaClient(bootstrap_servers=servers, request_timeout_ms=REQUEST_MS)
    try:
        async with asyncio.timeout(ANSWER_S):
            await client.bootstrap()
            # Asks for all topics: asking for one by name can create it, where the broker allows that.
            topics = await client.fetch_all_metadata()
    except (KafkaError, TimeoutError) as error:
        raise Unavailable(f"Kafka {servers}: {error!r}") from error
    finally:
        await client.close()
    for name in names:
        found = len(topics.partitions_for_topic(name) or ())
        if found == 0:
            raise SettingsError(f"KAFKA_BOOTSTRAP_SERVERS: no topic {name} on {servers}; run linepulse setup")
        if found != settings.partitions:
            raise SettingsError(
                f"LINEPULSE_PARTITIONS: {settings.partitions}, but topic {name} on {servers} has {found}; "
                f"set LINEPULSE_PARTITIONS to {found}, or choose another LINEPULSE_TOPIC_PREFIX "
                "and run linepulse setup"
            )

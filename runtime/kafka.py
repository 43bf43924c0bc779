"""Questions that several roles ask Kafka: are the topics there, and which rules are in force."""

import asyncio
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaClient, AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from plant.rules import RulesRecord
from runtime.partitions import wrong_partition_count
from runtime.producer import REQUEST_MS, START_S
from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable


async def require_topics(settings: Settings, names: Iterable[str]) -> None:
    """Make sure that topics exist, with the number of partitions in the settings.

    Raises:
        SettingsError: a topic is missing, or has another number of partitions.
        Unavailable: Kafka does not answer.
    """
    servers = settings.kafka_bootstrap_servers
    client = AIOKafkaClient(bootstrap_servers=servers, request_timeout_ms=REQUEST_MS)
    try:
        async with asyncio.timeout(START_S):
            await client.bootstrap()
            # Asks for all topics: asking for one by name can create it, where the broker allows that.
            metadata = await client.fetch_all_metadata()
    except (KafkaError, TimeoutError) as error:
        raise _away(servers, error) from None
    finally:
        await client.close()
    for name in names:
        found = len(metadata.partitions_for_topic(name) or ())
        if found == 0:
            raise SettingsError(f"no topic {name} on {servers}; run linepulse setup")
        if found != settings.partitions:
            raise SettingsError(await wrong_partition_count(settings, name, found, settings.partitions))


async def rules_in_force(settings: Settings) -> RulesRecord:
    """The newest generation in `production.rules`.

    Raises:
        Unavailable: Kafka does not answer, or there are no rules yet.
    """
    newest = await newest_rules(settings)
    if newest is None:
        raise Unavailable(
            f"topic {settings.topics.rules} on {settings.kafka_bootstrap_servers} holds no rules yet; "
            "run linepulse setup"
        )
    return newest


async def newest_rules(settings: Settings) -> RulesRecord | None:
    """The newest generation in `production.rules`, None where there is none.

    Raises:
        Unavailable: Kafka does not answer.
    """
    servers = settings.kafka_bootstrap_servers
    where = TopicPartition(settings.topics.rules, 0)
    # Not seek_to_beginning: the default reset to the end, still under way, can overtake it.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    newest: RulesRecord | None = None
    try:
        async with asyncio.timeout(START_S):
            await consumer.start()
            consumer.assign([where])
            end = (await consumer.end_offsets([where]))[where]
            while await consumer.position(where) < end:
                for record in (await consumer.getmany(where, timeout_ms=500)).get(where, []):
                    found = msgspec.json.decode(record.value, type=RulesRecord)
                    if newest is None or found.generation >= newest.generation:
                        newest = found
    except (KafkaError, TimeoutError) as error:
        raise _away(servers, error) from None
    finally:
        await consumer.stop()
    return newest


def _away(servers: str, error: Exception) -> Unavailable:
    why = str(error) or type(error).__name__
    return Unavailable(f"KAFKA_BOOTSTRAP_SERVERS: nothing answers at {servers} ({why}); start Kafka")

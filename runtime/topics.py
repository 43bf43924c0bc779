"""The Kafka topics of an installation: creates them, or says what is wrong with those that exist."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from runtime.partitions import wrong_partition_count
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import DERIVED_RETENTION_DAYS, RAW_RETENTION_DAYS

DAY_MS = 86_400_000
EXACTLY = {"cleanup.policy", "message.timestamp.type"}
AT_LEAST = {"max.message.bytes", "message.timestamp.after.max.ms"}
RAW_HEADROOM_BYTES = 128 * 1024  # for the topic, key and headers beside the largest payload


class TopicsError(RuntimeError):
    """The topics are not as linepulse needs them, or can't be created so."""


@dataclass(frozen=True)
class TopicPlan:
    """How one topic must be configured."""

    name: str
    partitions: int
    config: dict[str, str]


def plan(settings: Settings) -> list[TopicPlan]:
    """Every topic that `setup` makes. Faust makes the changelogs of its own tables."""
    topics, partitions = settings.topics, settings.partitions
    # gzip: the only compression that every client reads without extra libraries.
    raw = {
        "retention.ms": str(RAW_RETENTION_DAYS * DAY_MS),
        "compression.type": "gzip",
        "cleanup.policy": "delete",
        # The bridge's time never runs backwards, so it can be ahead of Kafka's after a clock was set back. By
        # default Kafka refuses records that are more than an hour ahead.
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(2**63 - 1),
        "max.message.bytes": str(max(settings.max_payload_bytes, 1 << 20) + RAW_HEADROOM_BYTES),
    }
    derived = {
        "retention.ms": str(DERIVED_RETENTION_DAYS * DAY_MS),
        "cleanup.policy": "delete",
        # An event has the time of the record behind it, which can be long past when a backlog is worked off
        # or the log is read again: so retention counts from when the event was sent.
        "message.timestamp.type": "LogAppendTime",
        # A dead letter carries a whole payload in base64.
        "max.message.bytes": str(max(settings.max_payload_bytes, 1 << 20) * 4 // 3 + RAW_HEADROOM_BYTES),
    }
    rules = {"cleanup.policy": "compact"}
    return [
        TopicPlan(topics.raw, partitions, raw),
        *(TopicPlan(name, partitions, derived) for name in topics.derived),
        TopicPlan(topics.rules, 1, rules),
    ]


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client.

    Raises:
        TopicsError: Kafka does not answer.
    """
    client = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap_servers, request_timeout_ms=15_000
    )
    try:
        await client.start()
    except KafkaError as error:
        await client.close()
        raise TopicsError(
            f"KAFKA_BOOTSTRAP_SERVERS: {settings.kafka_bootstrap_servers}: no Kafka answers "
            f"({type(error).__name__}); start it, or correct the variable"
        ) from None
    try:
        yield client
    finally:
        await client.close()


async def partitions_of(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """The number of partitions of each topic that exists."""
    there = set(await client.list_topics()) & set(names)
    if not there:
        return {}
    described = await client.describe_topics(sorted(there))
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def differences(settings: Settings, planned: list[TopicPlan], found: dict[str, int]) -> list[str]:
    """What is wrong with the topics' partitions, a sentence each.

    Raises:
        TopicsError: Kafka does not answer.
    """
    try:
        return [
            await wrong_partition_count(settings, topic.name, found[topic.name], topic.partitions)
            for topic in planned
            if topic.name in found and found[topic.name] != topic.partitions
        ]
    except Unavailable as error:
        raise TopicsError(str(error)) from error


async def unfit(client: AIOKafkaAdminClient, settings: Settings, planned: list[TopicPlan]) -> list[str]:
    """Topics whose configuration would lose messages or refuse them: a sentence each.

    Their retention is the owner's choice. If a broker does not report configurations (the embedded one), they
    are taken to be as they were created.
    """
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in planned]
    try:
        answers = await client.describe_configs(asked)
    except KafkaError:
        return []
    found = {
        name: {key: value for key, value, *_ in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }
    return [
        f"topic {topic.name} has {key}={found[topic.name][key]}, {needed} is needed: kafka-configs.sh"
        f" --bootstrap-server {settings.kafka_bootstrap_servers} --alter --entity-type topics"
        f" --entity-name {topic.name} --add-config {key}={needed}"
        for topic in planned
        for key, needed in topic.config.items()
        if not _serves(key, found.get(topic.name, {}).get(key), needed)
    ]


def _serves(key: str, found: str | None, needed: str) -> bool:
    if found is None:
        return True
    if key in AT_LEAST:
        return int(found) >= int(needed)
    return key not in EXACTLY or found == needed


async def create_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing; return their names.

    Raises:
        TopicsError: Kafka does not answer or refuses, or a topic exists with another number of partitions.
    """
    async with admin(settings) as client:
        planned = plan(settings)
        found = await partitions_of(client, [topic.name for topic in planned])
        if wrong := await differences(settings, planned, found):
            raise TopicsError("\n".join(wrong))
        missing = [topic for topic in planned if topic.name not in found]
        if not missing:
            return []
        response = await client.create_topics(
            [NewTopic(t.name, t.partitions, settings.replication, topic_configs=t.config) for t in missing]
        )
        for name, code, *why in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise TopicsError(f"Kafka refused to make topic {name}: {error.__name__} {why or ''}")
        return [topic.name for topic in missing]

"""Fills the next generation's changelog with the line states from which its workers continue."""

import asyncio
import time
from collections.abc import Iterator, Mapping

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from msgspec.structs import replace

from rebuild.new_generation import NewGeneration
from rules.partition import PARTITION
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings
from runtime.topics import TopicsError, admin
from schemas.errors import Unavailable
from schemas.state import LineState, encode
from streams.changelog import CONFIG, changelog, key_of

BATCH_BYTES = 512 * 1024  # a state is under 256 KiB
AGAIN_S = 0.1
GONE_S = 30.0


async def seed(settings: Settings, rebuilt: NewGeneration) -> None:
    """Make the changelog anew and write every line's state at E into it, durably.

    What an earlier attempt left there is deleted: it may be of other rules, or of another E.

    Raises:
        TopicsError: Kafka refuses, or does not answer.
        Unavailable: Kafka did not take all of it.
    """
    topic = changelog(settings.topic_prefix, rebuilt.generation)
    async with admin(settings) as client:
        await delete_topic(client, topic)
        await _create(client, settings, topic)
    producer = await open_producer(settings, BATCH_BYTES)
    try:
        sent = [
            await producer.send(topic, encode(state), key=key_of(state), partition=partition)
            for partition, states in rebuilt.states.items()
            for state in entries(states)
        ]
        await asyncio.gather(*sent)
        # A broker that lists ends by batch (the embedded one) gives the offset of the last batch's first
        # record, and Faust reads no further. A last record in a batch of its own makes it read all others.
        for partition, states in rebuilt.states.items():
            *_, own = entries(states)
            await producer.send_and_wait(topic, encode(own), key=key_of(own), partition=partition)
    except KafkaError as error:
        raise Unavailable(f"Kafka {settings.kafka_bootstrap_servers}: {error!r}") from error
    finally:
        await close_producer(producer)


def entries(states: Mapping[str, LineState]) -> Iterator[LineState]:
    """A partition's entries as a worker leaves them when it ends: each is at the partition's end.

    The own entry comes last: where it is present, no line is missing. It records no sent events, and no list
    of open rows is due: those were carried over with the tables.
    """
    own = states[PARTITION]
    for name, state in states.items():
        if name != PARTITION:
            yield replace(state, offset=own.offset, run=own.run)
    yield replace(own, sent={}, open_rows_due=None)


async def delete_topic(client: AIOKafkaAdminClient, topic: str) -> bool:
    """Delete a topic, and wait until it is gone; False if there was none.

    Raises:
        TopicsError: Kafka refuses, or the topic still exists after GONE_S.
    """
    if topic not in await client.list_topics():
        return False
    response = await client.delete_topics([topic])
    for name, code, *_ in response.topic_error_codes:
        if code and for_code(code) is not UnknownTopicOrPartitionError:
            raise TopicsError(f"Kafka refused to delete topic {name}: {for_code(code).__name__}")
    deadline = time.monotonic() + GONE_S
    while topic in await client.list_topics():
        if time.monotonic() > deadline:
            raise TopicsError(f"topic {topic} was deleted and is there still after {GONE_S:g} s")
        await asyncio.sleep(AGAIN_S)
    return True


async def _create(client: AIOKafkaAdminClient, settings: Settings, topic: str) -> None:
    """Create the changelog with the settings that Faust would give it."""
    config = {"cleanup.policy": "compact", **CONFIG}
    wanted = NewTopic(topic, settings.partitions, settings.replication, topic_configs=config)
    deadline = time.monotonic() + GONE_S
    while True:
        response = await client.create_topics([wanted])
        [(_, code, *why)] = response.topic_errors
        if not code:
            return
        if for_code(code) is not TopicAlreadyExistsError or time.monotonic() > deadline:
            raise TopicsError(f"Kafka refused to make topic {topic}: {for_code(code).__name__} {why or ''}")
        await asyncio.sleep(AGAIN_S)  # it was deleted just now, and not every broker knows yet

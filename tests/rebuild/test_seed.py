"""The seeded changelog: what a worker would have left there, and nothing else."""

import time
from dataclasses import replace as with_
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace

from rebuild.seed import seed
from runtime.settings import Settings
from schemas.instant import HOUR
from schemas.state import LineState, decode
from streams.changelog import CONFIG, changelog
from tests.rebuild.small import fold_log
from tests.services import Services
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_changelog import config_of
from tests.streams.test_role import all_samples, messages, settings_of

pytestmark = pytest.mark.both

PLANT = "[line.order]\nquantity = 50\n"


async def held(settings: Settings, generation: int) -> dict[tuple[int, bytes], LineState]:
    """The last value of each key, as Faust restores it."""
    topic = changelog(settings.topic_prefix, generation)
    where = [TopicPartition(topic, number) for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    found: dict[tuple[int, bytes], Any] = {}
    try:
        consumer.assign(where)
        ends = await consumer.end_offsets(where)
        assert any(ends.values())
        while [tp for tp in where if await consumer.position(tp) < ends[tp]]:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found |= {(record.partition, record.key): record.value for record in records}
    finally:
        await consumer.stop()
    return {key: decode(value) for key, value in found.items() if value is not None}


def unsent(state: LineState) -> LineState:
    """The state without what was sent: the next generation has sent nothing."""
    return replace(state, sent={})


async def test_it_holds_what_a_worker_leaves_when_it_ends(services: Services) -> None:
    """Key by key, in the same partitions; in a topic of the same kind."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log:
        await log.rules(PLANT)
        with Worker(settings) as worker:
            await log.write(messages(40, start))
            await log.tick(start + 41_000)
            await log.write(messages(1, start, first=42)[:1])
            await log.applied()
            assert worker.end()[0] == 0
    rebuilt, _ = await fold_log(settings, PLANT, 2)
    await seed(settings, rebuilt)
    seeded, left = await held(settings, 2), await held(settings, 1)
    assert seeded == {key: unsent(state) for key, state in left.items()}
    if services.kind != "embedded":
        found = await config_of(settings, changelog(settings.topic_prefix, 2))
        assert found["cleanup.policy"] == "compact"
        assert {name: found[name] for name in CONFIG} == CONFIG


async def test_what_an_earlier_try_left_is_gone(services: Services) -> None:
    """States of other rules, of unknown lines, of another end: none is restored."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log:
        await log.write(messages(10, start))
        rebuilt, _ = await fold_log(settings, PLANT, 2)
        strange = {
            number: {**states, "ligne99": LineState("ligne99", number, offset=10**6)}
            for number, states in rebuilt.states.items()
        }
        await seed(settings, with_(rebuilt, states=strange))
        assert (0, b"ligne99") in await held(settings, 2)
        await seed(settings, rebuilt)
        assert not [key for key in await held(settings, 2) if key[1] == b"ligne99"]
        assert len(await held(settings, 2)) == 5 + settings.partitions


async def test_a_census_and_what_was_sent_stay_behind(services: Services) -> None:
    """Both belong to the log and the topics of the old generation."""
    settings = settings_of(services)
    async with RawLog(settings) as log:
        await log.write(messages(10, int(time.time() * 1000) - HOUR))
    rebuilt, _ = await fold_log(settings, PLANT, 2)
    marked = {
        number: {**states, "": replace(states[""], open_rows_due=7, sent={"some": (3, None)})}
        for number, states in rebuilt.states.items()
    }
    await seed(settings, with_(rebuilt, states=marked))
    own = [state for (_, key), state in (await held(settings, 2)).items() if key.startswith(b"/")]
    assert [(state.open_rows_due, state.sent) for state in own] == [(None, {})] * settings.partitions


async def test_a_worker_goes_on_from_it(services: Services) -> None:
    """It reads no record before E: no earlier event is sent again."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.write(messages(100, start))
        rebuilt, _ = await fold_log(settings, PLANT, 2)
        await seed(settings, rebuilt)
        await log.rules(PLANT, 2)
        with Worker(settings):
            await log.write(messages(10, start, first=100))
            await all_samples(derived, 50)
            await log.tick(start + 200_000)
            await log.write(messages(1, start, first=210))
            await all_samples(derived, 55)
    assert len(derived.events) == 55
    assert {event["generation"] for event in derived.events} == {2}

"""A worker ends on SIGTERM, whatever happened to Kafka."""

import time
from collections import Counter

from tests.eventually import wait_until
from tests.services import OwnServers, Services
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import all_samples, messages, settings_of


async def test_it_ends_within_ten_seconds_while_kafka_is_gone(own: OwnServers) -> None:
    """During work, with fetched records whose events it can't send."""
    kafka = own.kafka()
    settings = own.settings(kafka=kafka, database_url="postgresql://none/none")
    async with RawLog(settings) as log:
        await log.rules()
        with Worker(settings) as worker:
            await log.write(messages(400, int(time.time() * 1000) - 3_600_000))
            wait_until(lambda: "⚙️" in worker.said, "the worker to start")
            kafka.kill()
            wait_until(lambda: "aiokafka" in worker.said, "the worker to miss Kafka", 60)
            began = time.monotonic()
            worker.end()
            assert time.monotonic() - began < 10


async def test_what_was_sent_before_a_clean_stop_is_not_sent_again(services: Services) -> None:
    """SIGTERM under load: within ten seconds, and the successor begins where the worker ended."""
    settings = settings_of(services)
    async with RawLog(settings) as log, Derived(settings, settings.topics.derived) as derived:
        await log.rules()
        await log.write(messages(6000, int(time.time() * 1000) - 36_000_000))
        with Worker(settings) as first:
            await all_samples(derived, 5000)
            began = time.monotonic()
            code, said = first.end()
            assert (code, time.monotonic() - began < 10) == (0, True), said
        stopped_at = len(derived.events)
        with Worker(settings):
            await all_samples(derived, 30_000, 120)
        assert stopped_at < len(derived.events)
    sent = Counter((event["id"], *event["version"]) for event in derived.events)
    assert [event for event, times in sent.items() if times > 1] == []

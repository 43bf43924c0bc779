"""Newer rules come into force while workers run: the same processes go on with them."""

import signal
import time
from functools import partial

from schemas.instant import HOUR
from tests.eventually import eventually, wait_until
from tests.services import Services
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import all_samples, messages, settings_of

STARTED = "Calcul des lignes démarré (règles, génération 2)"


def has_begun_again(worker: Worker) -> bool:
    return STARTED in worker.said.partition("repart")[2]


async def test_workers_begin_again_with_newer_rules(services: Services):
    """Without a supervisor: two processes in the foreground, the same before and after."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with Worker(settings) as first, Worker(settings) as second:
            await log.write(messages(20, start))
            await all_samples(derived, 100)
            await log.rules("[line.order]\nquantity = 5", generation=2)
            for worker in (first, second):
                wait_until(partial(has_begun_again, worker), "the start")
            await log.write(messages(20, start, first=20))

            async def told_anew() -> bool:
                return sum(event["generation"] == 2 for event in await derived.read()) >= 200

            await eventually(told_anew, "all samples under the newer rules", 60)
            assert first.runs
            assert second.runs
            assert first.end()[0] == second.end()[0] == 0


async def test_an_older_generation_changes_nothing(services: Services):
    """A record of rules that are in force already, or were, is nothing new."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules(generation=3)
        with Worker(settings) as worker:
            await log.write(messages(1, start))
            await all_samples(derived, 5)
            await log.rules(generation=3)
            await log.rules(generation=2)
            await log.write(messages(20, start, first=1))
            await all_samples(derived, 105)
            assert "repart avec elles" not in worker.said
            assert worker.end()[0] == 0


async def test_a_worker_that_begins_again_still_ends_on_request(services: Services):
    """SIGTERM at any moment of it ends the process for good."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - HOUR
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with Worker(settings) as worker:
            await log.write(messages(1, start))
            await all_samples(derived, 5)
            await log.rules(generation=2)
            wait_until(lambda: "repart avec elles" in worker.said, "the news")
            assert worker.end()[0] in (0, -signal.SIGTERM)

"""With delays between Faust's own steps, no fetched record is lost for good."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.eventually import wait_until
from tests.runtime.test_watchdog import ready
from tests.services import Services
from tests.streams.raw import Derived, RawLog, Worker, partition_of
from tests.streams.test_role import all_samples, settings_of

pytestmark = pytest.mark.both

START = int(time.time() * 1000) - 3_600_000
EACH = 20
LINES = [f"ligne{number}" for number in range(1, 13)]


def slow_faust(settings: Settings, where: str) -> Worker:
    return Worker(settings, where, module="tests.runtime.slow_faust")


def messages(first: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """As many messages of each line, a second apart; each partition has some."""
    for number in range(first, first + EACH):
        for line in LINES:
            yield line, START + number * 1000, {"count": 1}


@pytest.mark.parametrize("where", ["resume", "seek"])
async def test_a_worker_that_starts_applies_all_that_the_log_holds(services: Services, where: str):
    """It has states to restore first. No later record follows that could show that one was left out."""
    settings = settings_of(services)
    assert {partition_of(settings, line) for line in LINES} == set(range(settings.partitions))
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        await log.write(messages(0))
        with Worker(settings) as worker:
            await all_samples(derived, EACH * len(LINES))
            assert worker.end()[0] == 0
        await log.write(messages(EACH))
        with slow_faust(settings, where):
            await all_samples(derived, 2 * EACH * len(LINES))


async def test_a_worker_that_another_one_joins_reads_its_states_to_their_end(services: Services):
    """A fetch under way returns changelog records for which its recovery waits; both workers go on."""
    settings = settings_of(services)
    other = settings.model_copy(update={"http_port": free_port()})
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        await log.write(messages(0))
        with slow_faust(settings, "rebalance"):
            await all_samples(derived, EACH * len(LINES))
            assert other.http_port is not None
            port = other.http_port
            with Worker(other):
                wait_until(lambda: answers(port), "the other worker", 50)
                await log.write(messages(EACH))
                await all_samples(derived, 2 * EACH * len(LINES), 45)  # before a watchdog would help


def answers(port: int) -> bool:
    """Whether a worker is ready, and has begun to say so."""
    try:
        return ready(port)
    except OSError:
        return False

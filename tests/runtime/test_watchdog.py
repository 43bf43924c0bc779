"""The watchdog on real servers: it ends workers that are dead, and those alone."""

import os
import signal
import time
import urllib.request

import pytest

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.eventually import wait_until
from tests.services import OwnServers, Services
from tests.services.native import NativeKafka
from tests.sinks.conftest import make_plant
from tests.sinks.records import sample
from tests.sinks.test_role import count
from tests.sinks.worker import send
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import all_samples, messages, settings_of

LIMIT_S = 12.0  # a first join takes a few seconds
START = int(time.time() * 1000) - 3_600_000


def watched(settings: Settings, role: str = "streams") -> Worker:
    """A worker whose watchdog waits for LIMIT_S only."""
    return Worker(settings, role, str(LIMIT_S), module="tests.runtime.quick_watchdog")


def ready(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        return bool(answer.status == 200)


async def test_a_consumer_that_dies_silently_ends_its_worker(services: Services):
    """The log has its position and the end of the log; started again, it goes on without a gap."""
    settings = settings_of(services)
    async with (
        RawLog(settings) as log,
        Derived(settings, [settings.topics.samples, settings.topics.orders]) as derived,
    ):
        await log.rules()
        with watched(settings) as worker:
            await log.write(messages(20, START))
            await all_samples(derived, 100)
            os.kill(worker.pid, signal.SIGUSR1)
            await log.write(messages(20, START, 20))
            code, said = worker.ended(LIMIT_S + 20)
        assert code == 1
        assert f"❌ {settings.topics.raw}[" in said
        assert "n'avance plus depuis 1" in said
        await supervised(settings, derived, 200)


async def supervised(settings: Settings, derived: Derived, samples: int) -> None:
    """A worker under supervision: whenever it ends, it is started again."""
    ends = time.monotonic() + 150
    while True:
        assert time.monotonic() < ends
        with watched(settings) as worker:
            while worker.runs and time.monotonic() < ends:
                await derived.read()
                if len({event["id"] for event in derived.events if "bottlesProduced" in event}) >= samples:
                    return


async def test_a_worker_without_work_lives(services: Services):
    """All is read, and of two workers on one partition one has none: neither ends, and both are ready."""
    settings = services.settings(partitions=1, database_url="postgresql://postgres@localhost/none")
    ports = free_port(), free_port()
    each = [settings.model_copy(update={"http_port": port}) for port in ports]
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with watched(each[0]) as one, watched(each[1]) as other:
            await log.write(messages(20, START))
            await all_samples(derived, 100)
            read = time.monotonic()
            wait_until(lambda: time.monotonic() - read > LIMIT_S + 5, "more than the limit")
            assert one.runs
            assert other.runs
            for port in ports:
                assert ready(port)


async def test_postgres_that_is_away_is_waited_for_without_end(own: OwnServers):
    """Longer than the watchdog waits for anything else; the rows come when it is back."""
    postgres = own.postgres()
    settings = own.settings(postgres=postgres)
    plant = make_plant(settings.database_url)
    with watched(settings, "sinks") as worker:
        await send(settings, settings.topics.samples, [sample(number) for number in range(100)], lines=4)
        wait_until(lambda: count(plant) == 100, "the first rows")
        postgres.kill()
        away = time.monotonic()
        await send(settings, settings.topics.samples, [sample(number) for number in range(100, 200)], lines=4)
        wait_until(lambda: time.monotonic() - away > 2 * LIMIT_S, "twice the limit", 3 * LIMIT_S)
        postgres.start()
        wait_until(lambda: count(plant) == 200, "the rest")
        assert worker.runs


async def test_kafka_that_was_away_for_longer_than_the_limit_is_no_reason_to_die(own: OwnServers):
    """While Kafka does not answer no worker is ended; when it does, it works again within a minute."""
    kafka = own.kafka()
    if not isinstance(kafka, NativeKafka):
        pytest.skip("the embedded broker forgets everything")
    settings = own.settings(kafka=kafka, database_url="postgresql://postgres@localhost/none")
    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        with watched(settings) as worker:
            await log.write(messages(20, START))
            await all_samples(derived, 100)
            kafka.stop()
            away = time.monotonic()
            wait_until(lambda: time.monotonic() - away > 2 * LIMIT_S, "twice the limit", 3 * LIMIT_S)
            assert worker.runs
            kafka.start()
            await log.write(messages(20, START, 20))
            await all_samples(derived, 200)


async def test_a_role_whose_loop_is_blocked_ends(services: Services):
    """The watchdog's thread detects it, and reports it."""
    settings = settings_of(services)
    async with RawLog(settings) as log:
        await log.rules()
        with watched(settings) as worker:
            wait_until(lambda: "Calcul des lignes démarré" in worker.said, "the worker")
            os.kill(worker.pid, signal.SIGUSR2)
            code, said = worker.ended(LIMIT_S + 20)
        assert code == 1
        assert "boucle bloquée" in said

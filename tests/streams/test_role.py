"""The stream stage on a real Kafka: exact, whatever happens to its workers."""

import time
from collections import Counter

from runtime.settings import Settings
from tests.eventually import eventually
from tests.services import Services
from tests.streams.raw import Derived, RawLog, Worker

LINES = [f"ligne{n}" for n in range(1, 6)]


def messages(count: int, start: int, first: int = 0) -> list[tuple[str, int, dict[str, object]]]:
    """`count` messages a line, one piece more in each than in the one before, a second apart."""
    return [
        (
            line,
            start + n * 1000,
            {"count": n % 7, "targetRate": 120, "rate": 110, "running": True, "timestamp": start + n * 1000},
        )
        for n in range(first, first + count)
        for line in LINES
    ]


async def all_samples(derived: Derived, expected: int, seconds: float = 60) -> None:
    async def there() -> bool:
        await derived.read()
        return len({event["id"] for event in derived.events if "bottlesProduced" in event}) >= expected

    await eventually(there, f"{expected} samples", seconds)


def sums(derived: Derived) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Messages and pieces by line in samples, and pieces by line in orders."""
    seen, pieces, ordered = Counter(), Counter(), Counter()
    for row in derived.rows().values():
        if "bottlesProduced" in row:
            seen[row["lineId"]] += 1
            pieces[row["lineId"]] += row["bottlesProduced"]
        else:
            ordered[row["lineId"]] += row["produced"]
    return seen, pieces, ordered


def settings_of(services: Services) -> Settings:
    return services.settings(postgres=None, database_url="postgresql://postgres@localhost/none")


async def test_every_message_is_a_sample_and_counts_once_in_an_order(services: Services):
    """Five lines, four partitions, one worker."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - 3_600_000
    async with (
        RawLog(settings) as log,
        Derived(settings, [settings.topics.samples, settings.topics.orders]) as derived,
    ):
        await log.rules("[line.order]\nquantity = 500")
        with Worker(settings) as worker:
            await log.write(messages(400, start))
            await all_samples(derived, 2000)
            code, said = worker.end()
    assert code == 0, said
    seen, pieces, ordered = sums(derived)
    expected = sum(n % 7 for n in range(400))
    assert seen == dict.fromkeys(LINES, 400)
    assert pieces == ordered == dict.fromkeys(LINES, expected)


async def test_workers_killed_frozen_and_added_in_mid_stream_change_no_number(services: Services):
    """One worker is killed, another frozen past its session and thawed, a third joins."""
    settings = settings_of(services)
    start = int(time.time() * 1000) - 3_600_000
    async with (
        RawLog(settings) as log,
        Derived(settings, [settings.topics.samples, settings.topics.orders]) as derived,
    ):
        await log.rules("[line.order]\nquantity = 500")
        with Worker(settings) as first, Worker(settings) as second:
            await log.write(messages(400, start))
            await all_samples(derived, 500)
            first.kill()
            await log.write(messages(400, start, 400))
            with Worker(settings):
                await all_samples(derived, 2500)
                second.freeze()
                await log.write(messages(400, start, 800))
                await all_samples(derived, 6000)
                second.thaw()
                await log.write(messages(200, start, 1200))
                await all_samples(derived, 7000)
    seen, pieces, ordered = sums(derived)
    expected = sum(n % 7 for n in range(1400))
    assert seen == dict.fromkeys(LINES, 1400)
    assert pieces == ordered == dict.fromkeys(LINES, expected)

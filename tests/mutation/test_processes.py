"""Whole worker processes without one of their protections, on real servers."""

import time
from typing import Any

import pytest

from tests.eventually import eventually, wait_until
from tests.services import Services
from tests.sinks.conftest import make_plant
from tests.sinks.records import sample
from tests.sinks.test_role import count
from tests.sinks.worker import send
from tests.streams.raw import Derived, RawLog, Worker
from tests.streams.test_role import settings_of

START = int(time.time() * 1000) - 3_600_000
LAST = 100


@pytest.mark.parametrize(("without", "pieces"), [("nothing", 4), ("run-fence", 6)])
async def test_run_fence(services: Services, without: str, pieces: int) -> None:
    """What a thawed bridge writes late would count beside what its successor wrote of it."""
    #  run      1 1 │2 2 2│ 1 1 │ 2      2 is the successor: its fence, and what the broker sent it again
    #  pieces   1 1 │  1 1│ 1 1 │ 100
    settings = settings_of(services)

    def messages(number: int) -> list[tuple[str, int, dict[str, Any]]]:
        return [("ligne1", START, {"count": 1}) for _ in range(number)]

    async with RawLog(settings) as log, Derived(settings, [settings.topics.samples]) as derived:
        await log.rules()
        await log.write(messages(2), run=1)
        await log.tick(START, run=2)
        await log.write(messages(2), run=2)
        await log.write(messages(2), run=1)
        await log.write([("ligne1", START, {"count": LAST})], run=2)

        async def all_read() -> bool:
            return any(event["bottlesProduced"] == LAST for event in await derived.read())

        with Worker(settings, without, "streams", module="tests.mutation.without"):
            await eventually(all_read, "the last sample")
        assert sum(row["bottlesProduced"] for row in derived.rows().values()) == pieces + LAST


@pytest.mark.parametrize(("without", "rows"), [("nothing", 11), ("cursor", 8)])
async def test_cursor_check_and_set(services: Services, without: str, rows: int) -> None:
    """A worker that did not notice a restored backup would write on beyond the rows that it lacks."""
    #  written   0 … 9 │ the backup holds 0 … 6 │ what comes next is 10
    settings = services.settings(partitions=1)
    plant = make_plant(settings.database_url)
    topic = settings.topics.samples
    with Worker(settings, without, "sinks", module="tests.mutation.without"):
        await send(settings, topic, [sample(number) for number in range(10)])
        wait_until(lambda: count(plant) == 10, "the rows")
        plant.run(
            """WITH kept AS (SELECT id FROM "ProductionData" ORDER BY timestamp LIMIT 7),
                lost AS (DELETE FROM "ProductionData" WHERE id NOT IN (SELECT id FROM kept))
            UPDATE "SinkCursor" SET "nextOffset" = 7 WHERE topic = %s""",
            [topic],
        )
        await send(settings, topic, [sample(10)])
        wait_until(lambda: plant.cursor(topic) == 11, "the last row")
    assert count(plant) == rows

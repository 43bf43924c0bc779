"""A log whose time is a year ahead, mended on a plant at work as docs/reliability.md says."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from linepulse.log_check import check_log
from runtime.settings import Settings
from schemas.instant import DAY, SECOND, text_of
from tests.bridge.rig import Log, headers
from tests.commands import linepulse
from tests.eventually import wait_until
from tests.publish import publish
from tests.services import Services
from tests.streams.raw import RawLog
from tests.whole_plant import Plant

YEAR = 365 * DAY
NEAR = 15 * SECOND
"""How well the test itself knows when a message was received: a role starts meanwhile."""


@pytest.fixture
def plant(services: Services, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(services, tmp_path, "")
    yield plant
    plant.close()


def now() -> int:
    return int(time.time() * SECOND)


async def leap(settings: Settings) -> None:
    """Run 1, of a bridge of an older release: two pieces a line, then a tick of the next year."""
    async with RawLog(settings) as log:
        await log.tick(now() - 8 * SECOND, run=1)
        await log.write([(line, now() - SECOND, {"count": 2}) for line in ("ligne1", "ligne2")], run=1)
        await log.tick(now() + YEAR, run=1)


def speak(settings: Settings, count: int) -> None:
    """A machine without a clock, and one whose clock is right: a message each."""
    said = {"count": count, "running": True}
    with_time = {**said, "timestamp": text_of(now())}
    publish(
        settings,
        [
            ("production/ligne1/data", json.dumps(said).encode()),
            ("production/ligne2/data", json.dumps(with_time).encode()),
        ],
    )


def rule(wrong: str, started: int) -> str:
    """The entries that the documentation asks for, of what the doctor says.

    Args:
        started: when the bridge was started that went on ahead.
    """
    found = re.search(
        r"its last run is (?P<last>\d+)\).*first such record is of run (?P<run>\d+), (?P<since>\S+),"
        r" the last before it of (?P<before>\S+); run (?P<later>\d+) began at (?P<again>\S+?)\.? If",
        wrong,
    )
    assert found is not None, wrong
    entry = "[[log_clock]]\nfirst_run = {}\nlast_run = {}\nfrom = {}\ntrue = {}\n"
    return entry.format(found["run"], found["last"], found["since"], found["before"]) + entry.format(
        found["later"], found["last"], found["again"], text_of(started)
    )


async def written_by(settings: Settings, run: int) -> list[int]:
    """How far the times of a run's records are ahead of now, ms."""
    async with Log(settings) as log:
        await log.settled()
        return [record.timestamp - now() for record in log.records if headers(record).run == run]


def made(plant: Plant) -> list[dict[str, Any]]:
    """Each line's messages and pieces, and the pieces that its orders and its windows have."""
    return plant.rows(
        """SELECT "lineId", count(*)::int AS messages, sum("bottlesProduced")::int AS pieces,
        (SELECT sum(produced)::int FROM "ProductionOrder" o WHERE o."lineId" = d."lineId") AS ordered,
        (SELECT sum(pieces)::int FROM "KPISnapshot" k WHERE k."lineId" = d."lineId") AS told
        FROM "ProductionData" d GROUP BY 1 ORDER BY 1"""
    )


def all_of(line: str, *counts: int) -> dict[str, Any]:
    pieces = sum(counts)
    return {"lineId": line, "messages": len(counts), "pieces": pieces, "ordered": pieces, "told": pieces}


async def test_a_log_that_is_ahead_is_mended_as_documented(plant: Plant) -> None:
    """The bridge goes on at the true time, and a rebuild tells the wrong year right, to the piece."""
    #        run 1      | a year ahead: run 2      | run 3, with the rule
    #  pieces  2        |             3            |   5     rebuild    7
    settings = plant.settings
    plant.role("streams")
    plant.role("sinks")
    await leap(settings)
    started = now()
    ahead = plant.role("bridge")
    speak(settings, 3)
    # What ligne2 says with its own time is not believed, and refused.
    wait_until(lambda: plant.number('SELECT count(*) FROM "DeadLetter"') == 1, "the refusal")
    assert ahead.end() == 0
    assert min(await written_by(settings, 2)) > YEAR - DAY

    wrong = (await check_log(settings))[1]
    assert wrong is not None
    settings.plant.write_text(rule(wrong, started))
    begun = now()
    plant.role("bridge")
    speak(settings, 5)
    assert (await check_log(settings))[1] is None
    ages = await written_by(settings, 3)
    assert ages
    assert max(ages) <= 0
    assert min(ages) >= begun - now()
    # Time stands still in the stream stage, and windows with it; orders go on.
    in_order = """SELECT produced FROM "ProductionOrder" WHERE "lineId" = 'ligne1' AND status = 'running'"""
    wait_until(lambda: plant.number(in_order) == 3 + 5, "what is made before the rebuild")

    done = linepulse(plant.env, "rebuild", "--plant", str(settings.plant))
    assert done.returncode == 0, done.stdout + done.stderr
    after = [all_of("ligne1", 2, 3, 5), all_of("ligne2", 2, 3, 5)]
    assert made(plant) == after
    speak(settings, 7)
    after = [all_of("ligne1", 2, 3, 5, 7), all_of("ligne2", 2, 3, 5, 7)]
    wait_until(lambda: made(plant) == after, "what is made under the rule")
    assert plant.number('SELECT count(*) FROM "ProductionOrder"') == 2
    assert plant.number('SELECT count(*) FROM "DeadLetter"') == 0
    bounds = 'SELECT least(min("windowStart"), min("createdAt")) AS first, max("windowEnd") AS last'
    told = plant.rows(f'{bounds} FROM "KPISnapshot"')[0]
    minute = timedelta(minutes=1)
    assert told["first"] > datetime.fromtimestamp(started / SECOND, UTC) - minute
    assert told["last"] < datetime.now(UTC) + minute
    for row in plant.rows('SELECT "receivedAt" FROM "ProductionData" WHERE "bottlesProduced" = 3'):
        assert abs(row["receivedAt"].timestamp() * SECOND - started) < NEAR

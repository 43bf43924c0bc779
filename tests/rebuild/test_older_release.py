"""An upgrade in place: events that the older release sent and that are not stored yet."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT, linepulse
from tests.eventually import wait_until
from tests.publish import publish
from tests.services import Services
from tests.sinks.worker import send
from tests.whole_plant import Plant

OLDER = ROOT / "tests" / "schemas" / "golden" / "older" / "kpi.json"
MADE = 'SELECT sum(pieces) FROM "KPILine"'


@pytest.fixture
def plant(services: Services, tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(services, tmp_path, "")
    yield plant
    plant.close()


def data(count: int) -> tuple[str, bytes]:
    return "production/ligne1/data", json.dumps({"count": count, "running": True}).encode()


async def test_a_rebuild_makes_the_windows_that_wait(plant: Plant):
    """Data and orders are written meanwhile; afterwards nothing is missing, and figures are updated."""
    settings = plant.settings
    await send(
        settings, settings.topics.kpis, [OLDER.read_bytes()] * settings.partitions, settings.partitions
    )
    plant.role("streams")
    sinks = plant.role("sinks")
    plant.role("bridge")
    publish(settings, [data(2)] * 5)
    sinks.says("linepulse rebuild")
    wait_until(lambda: plant.number('SELECT sum(produced) FROM "ProductionOrder"') == 10, "the order")
    assert plant.number(MADE) == 0
    assert "run linepulse rebuild" in linepulse(plant.env, "doctor").stdout
    done = linepulse(plant.env, "rebuild")
    assert done.returncode == 0, done.stderr
    assert plant.number(MADE) == 10
    publish(settings, [data(3)] * 5)
    wait_until(lambda: plant.number(MADE) == 25, "the windows of the new rules")
    assert plant.number('SELECT count(*) FROM "DeadLetter"') == 0
    assert "run linepulse rebuild" not in linepulse(plant.env, "doctor").stdout

"""Events that an older release sent, read by this one: nothing of them is lost."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from schemas.events import AlertEvent, DowntimeEvent, Event, KpiEvent, OrderEvent
from sinks.tables import TABLES
from tests.dashboard.test_role import get
from tests.eventually import wait_until
from tests.services import Services
from tests.sinks.conftest import Plant, make_plant
from tests.sinks.records import TOPIC_OF, TOPICS, kpi, log, sample
from tests.sinks.worker import Worker, send

OLDER = Path(__file__).parents[1] / "schemas" / "golden" / "older"
PIECES = 'SELECT pieces FROM "KPISnapshot" ORDER BY "windowStart"'
NEW_RULES = 'UPDATE "Generation" SET generation = 2'


def older(name: str) -> bytes:
    """An event as a release without some of the columns sent it."""
    return (OLDER / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "event", "column"),
    [
        ("order", OrderEvent, "reason"),
        ("alert", AlertEvent, "reason"),
        ("downtime", DowntimeEvent, "requiredSeconds"),
    ],
)
async def test_what_nobody_knew_then_is_null(plant: Plant, name: str, event: type[Event], column: str):
    """An order and an alert without `reason`, a stop without its required time: they are rows."""
    sink = await plant.sink(event)
    written = await sink.write(log(older(name), topic=TOPIC_OF[event]))
    assert (written.cursor, written.rows, list(written.letters)) == (1, 1, [])
    assert plant.rows(f'SELECT "{column}" FROM "{sink.table.name}"') == [{column: None}]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_null_is_the_only_default(table):
    """PostgreSQL reads the events themselves: what is not in them is null there."""
    fields = msgspec.structs.fields(table.event)
    assert {field.default for field in fields if not field.required} <= {None}
    assert all(field.default_factory is msgspec.NODEFAULT for field in fields)


async def test_a_window_that_lacks_what_nobody_can_fill_waits_for_a_rebuild(plant: Plant):
    """It is no dead letter: the next generation makes its rows from the raw log, and then it is ignored."""
    #  offset   0 (now)   1 (older)   2 (now)                    3 (generation 2)
    #           row       waits ...............  rebuilt: passed    row
    sink = await plant.sink(KpiEvent)
    records = log(kpi(0, 1), older("kpi"), kpi(1, 2), kpi(2, 3, generation=2, pieces=7))
    assert (await sink.write(records)).cursor == 1
    waiting = await sink.write(records[1:])
    assert (waiting.cursor, list(waiting.letters)) == (1, [])
    assert {"day", "hour", "timeZone", "timedPieces"} < set(waiting.lacks)
    plant.run(NEW_RULES)
    done = await sink.write(records[1:])
    assert (done.cursor, done.ignored, done.rows, list(done.letters)) == (4, 2, 1, [])
    assert [row["pieces"] for row in plant.rows(PIECES)] == [100, 7]


@pytest.mark.parametrize(
    "name", [name for name in KpiEvent.__struct_encode_fields__ if name not in Event.__struct_encode_fields__]
)
async def test_no_column_of_a_window_is_made_up(plant: Plant, name: str):
    """Whichever column a release adds."""
    sink = await plant.sink(KpiEvent)
    fields = json.loads(msgspec.json.encode(kpi(0, 1)))
    del fields[name]
    written = await sink.write(log(json.dumps(fields).encode(), topic=TOPICS.kpis))
    assert (written.cursor, written.lacks, list(written.letters)) == (0, (name,), [])


async def test_people_hear_of_it_and_the_rest_goes_on(
    services: Services, workers: Callable[[Settings], Worker]
):
    """In the log and at /readyz, with what to do; once it is done, it is over.

    Windows wait in more partitions than an agent's buffer holds batches.
    """
    settings = services.settings(http_port=free_port(), partitions=12)
    plant = make_plant(settings.database_url)
    await send(settings, settings.topics.kpis, [older("kpi")] * 12, lines=12)
    worker = workers(settings)
    await send(settings, settings.topics.kpis, [kpi(2, 3, generation=2)])
    worker.says("sans day, hour, timeZone, productType, …, attendent")
    worker.says("linepulse rebuild")
    await send(settings, settings.topics.samples, [sample(0)])
    wait_until(lambda: len(plant.rows('SELECT 1 FROM "ProductionData"')) == 1, "the sample")
    ready = f"http://127.0.0.1:{settings.http_port}/readyz"
    status, why = get(ready)
    assert (status, "run linepulse rebuild" in why) == (503, True)
    plant.run(NEW_RULES)
    wait_until(lambda: len(plant.rows(PIECES)) == 1, "the window of the new rules")
    wait_until(lambda: get(ready) == (200, "ok"), "readiness")

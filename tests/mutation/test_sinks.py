"""Sinks without one of their protections, on a real database: rows are missing, or old ones come back."""

import re
from dataclasses import fields
from functools import cached_property
from typing import Any

import pytest
from faust.types import TP

from runtime.log_end import Logs
from runtime.narrator import Narrator
from runtime.sql import statement
from schemas.events import OrderEvent, SampleEvent
from sinks.log_identity import LogIdentity
from sinks.tables import PRODUCTION_DATA, PRODUCTION_ORDER, Table
from tests.services import Services
from tests.sinks.conftest import Plant, TableSink, make_plant
from tests.sinks.records import log, order, sample
from tests.sinks.worker import send


def unconditional(name: str) -> str:
    """Takes the cursor from wherever it stands."""
    return statement(name).replace('WHERE "nextOffset" = expected', "")


@pytest.mark.parametrize(("moves", "rows"), [(statement, 10), (unconditional, 7)])
async def test_cursor_check_and_set(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, moves: Any, rows: int
) -> None:
    """A worker that did not notice a restored backup would write on beyond the rows that it lacks."""
    #  written   0 1 2 3 4 5 │ the backup holds 0 1 2 │ the worker goes on with 6 7 8 9
    monkeypatch.setattr("sinks.cursors.statement", moves)
    sink = await plant.sink(SampleEvent)
    events = log(*(sample(number) for number in range(10)))
    await sink.write(events[:6])
    plant.run("""DELETE FROM "ProductionData" WHERE timestamp >= '2025-01-17T14:17:39Z'""")
    plant.run('UPDATE "SinkCursor" SET "nextOffset" = 3')
    stands = 6
    while stands < 10:
        stands = (await sink.write(events[stands:])).cursor
    assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": rows}]


class Unguarded(Table):
    """Lets any version of a row take its place."""

    @cached_property
    def write_statement(self) -> str:
        return re.sub(r"\bWHERE\b.*(?=\bRETURNING\b)", "", super().write_statement, flags=re.DOTALL)


@pytest.mark.parametrize(("kind", "pieces"), [(Table, 9), (Unguarded, 3)])
async def test_version_guard(plant: Plant, kind: type[Table], pieces: int) -> None:
    """A worker that thaws sends an order as it was: it would take the place of the order as it is."""
    table = kind(**{field.name: getattr(PRODUCTION_ORDER, field.name) for field in fields(Table)})
    sink = await plant.sink(OrderEvent, table=table)
    await sink.write(log(order(1, 9)))
    await sink.write(log(order(1, 3), at=1))
    assert plant.rows('SELECT produced FROM "ProductionOrder"') == [{"produced": pieces}]


class AnyLog(Logs):
    """Takes every log for the one that was applied."""

    async def others(self, applied: Any) -> set[Any]:
        return set(applied) - set(applied)


@pytest.mark.parametrize(("logs", "rows"), [(Logs, 10), (AnyLog, 6)])
async def test_log_identity(services: Services, logs: type[Logs], rows: int) -> None:
    """Of topics made anew, and already longer, the first events would never become rows."""
    #  lost log   4 events applied, the last of them in 2020
    #  this log   10 events
    settings = services.settings(partitions=1)
    plant, tp = make_plant(settings.database_url), TP(settings.topics.samples, 0)
    samples = [sample(number) for number in range(10)]
    await send(settings, tp.topic, [*samples])
    plant.run("""INSERT INTO "SinkCursor" VALUES (%s, 0, 4, '2020-01-01')""", [tp.topic])
    asked = LogIdentity(plant.cursors, logs(settings.kafka_bootstrap_servers), Narrator("en"))
    stands = (await asked.positions([tp]))[tp]
    sink = TableSink(plant.database, PRODUCTION_DATA, 1)
    await sink.write(log(*samples[stands:], at=stands, topic=tp.topic))
    await plant.close()
    assert plant.rows('SELECT count(*) AS n FROM "ProductionData"') == [{"n": rows}]

"""Rows that a lost log left open are closed once, and no others."""

from datetime import datetime
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner

from schemas.events import (
    AlertEvent,
    DowntimeEvent,
    Event,
    OpenAlerts,
    OpenDowntimes,
    OpenOrders,
    OpenRowsEvent,
    OrderEvent,
)
from schemas.ids import uuid_of
from schemas.instant import SECOND, ms_of, text_of
from tests.sinks.conftest import PARTITIONS, Plant
from tests.sinks.records import BEGIN, TOPIC_OF, alert, log, order, stop

AT = text_of(BEGIN + 60 * SECOND)


def partition_of(line_id: str) -> int:
    """The partition of a line."""
    every = list(range(PARTITIONS))
    return int(DefaultPartitioner()(line_id.encode(), every, every))


PARTITION = partition_of("ligne1")


def open_rows_event(kind: type[OpenRowsEvent], *still_open: str, offset: int = 0) -> OpenRowsEvent:
    """A list of open rows, made a minute after BEGIN, in ligne1's partition."""
    return kind(
        generation=1,
        version=(BEGIN + 60 * SECOND, offset),
        id=uuid_of("census", offset),
        line_id="",
        line="",
        partition=PARTITION,
        open=still_open,
        at=AT,
    )


@pytest.mark.parametrize(
    ("event", "open_row", "kind", "closed"),
    [
        (OrderEvent, order, OpenOrders, {"status": "cancelled", "endTime": AT}),
        (DowntimeEvent, stop, OpenDowntimes, {"endTime": AT, "duration": 60.0}),
        (AlertEvent, alert, OpenAlerts, {"status": "resolved", "resolvedAt": AT}),
    ],
)
async def test_what_is_older_than_a_census_and_not_in_it_is_closed(
    plant: Plant, event: type[Event], open_row: Any, kind: type[OpenRowsEvent], closed: dict[str, Any]
):
    """Rows that the list names, later rows, and rows of another partition stay open."""
    #  lost log        census (names 2)    this log
    #  1   2   other          │              3
    sink = await plant.sink(event)
    other = next(line for line in (f"ligne{n}" for n in range(2, 99)) if partition_of(line) != PARTITION)
    kept = open_row(2, 5)
    await sink.write(
        log(
            open_row(1, 5),
            kept,
            open_row(4, 5, line_id=other),
            open_rows_event(kind, kept.id),
            open_row(3, 90),
            topic=TOPIC_OF[event],
        )
    )
    rows = plant.rows(f'SELECT * FROM "{sink.table.name}" WHERE reason = %s', ["log_lost"])
    assert [str(row["id"]) for row in rows] == [open_row(1, 5).id]
    closed = {**closed, "updatedAt": AT}
    assert {name: as_text(rows[0][name]) for name in closed} == closed


def as_text(value: Any) -> Any:
    return text_of(ms_of(value)) if isinstance(value, datetime) else value


async def test_a_row_of_the_new_log_takes_the_place_of_a_closed_one(plant: Plant):
    """An order that is added again under its old number is open again, without the reason `log_lost`."""
    sink = await plant.sink(OrderEvent)
    await sink.write(log(order(1, 5), open_rows_event(OpenOrders), order(1, 90)))
    assert plant.rows('SELECT status, reason, produced FROM "ProductionOrder"') == [
        {"status": "running", "reason": None, "produced": 90}
    ]


async def test_a_stop_keeps_the_reason_that_a_person_gave(plant: Plant):
    """What ended it is added."""
    sink = await plant.sink(DowntimeEvent)
    await sink.write(log(stop(1, 5, reason="bourrage"), open_rows_event(OpenDowntimes)))
    assert plant.rows('SELECT reason FROM "Downtime"') == [{"reason": "bourrage (log_lost)"}]

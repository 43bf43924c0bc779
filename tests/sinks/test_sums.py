"""Sums by hour, kept in the transaction that writes the windows."""

from typing import Any

import msgspec
import psycopg
import pytest

from schemas.events import KpiEvent
from schemas.instant import MINUTE, text_of
from sinks.sums import SUM_HOURS, sum_all
from tests.sinks.conftest import Plant
from tests.sinks.records import kpi, log

pytestmark = pytest.mark.quick

TEN = 1_772_442_000_000  # 2026-03-02 10:00 in Paris
HOUR = 60


def window(number: int, version: int, **facts: Any) -> KpiEvent:
    """The window of a minute after ten, as it is at a version of its line."""
    return kpi(
        number,
        version,
        **{
            "window_start": text_of(TEN + number * MINUTE),
            "window_end": text_of(TEN + (number + 1) * MINUTE),
            "hour": text_of(TEN + number // HOUR * HOUR * MINUTE),
            "day": "2026-03-02",
            **facts,
        },
    )


def sums(plant: Plant) -> list[tuple[Any, ...]]:
    """Part of the hour, order and pieces of every sum."""
    rows = plant.rows('SELECT * FROM "KPISum" ORDER BY "lineId", "hour", "part"')
    return [(row["part"], row["orderNumber"], row["pieces"]) for row in rows]


def as_summed_at_once(plant: Plant) -> bool:
    """Whether the sums are those of the windows that stand there now, in every column."""
    kept = plant.rows('SELECT * FROM "KPISum" ORDER BY "lineId", "hour", "part"')
    plant.run('DELETE FROM "KPISum"')
    with psycopg.connect(plant.url) as connection:
        sum_all(connection)
    return kept == plant.rows('SELECT * FROM "KPISum" ORDER BY "lineId", "hour", "part"')


async def test_sums_follow_their_windows(plant: Plant):
    """New windows are added; a window that is sent again is not counted twice."""
    sink = await plant.sink(KpiEvent)
    await sink.write(log(window(0, 1, pieces=10), window(1, 2, pieces=20), window(60, 3, pieces=5)))
    assert sums(plant) == [(1, "ORD-1", 30), (1, "ORD-1", 5)]
    await sink.write(log(window(1, 4, pieces=21), window(60, 5, pieces=6), window(60, 6, pieces=7), at=3))
    assert sums(plant) == [(1, "ORD-1", 31), (1, "ORD-1", 7)]
    assert as_summed_at_once(plant)


async def test_an_hour_has_a_part_for_each_order(plant: Plant):
    """In the order of time; if windows go to another order, an empty part is deleted."""
    #  10:00  ORD-1 | ORD-2 | ORD-1        then: all of it was ORD-2
    sink = await plant.sink(KpiEvent)
    orders = ("ORD-1", "ORD-2", "ORD-1")
    await sink.write(log(*(window(n, n, pieces=n + 1, order_number=order) for n, order in enumerate(orders))))
    assert sums(plant) == [(1, "ORD-1", 4), (2, "ORD-2", 2)]
    await sink.write(log(*(window(n, 10 + n, pieces=n + 1, order_number="ORD-2") for n in (0, 2)), at=3))
    assert sums(plant) == [(1, "ORD-2", 6)]
    assert as_summed_at_once(plant)


async def test_an_older_version_changes_no_sum(plant: Plant):
    """It changes no window either."""
    sink = await plant.sink(KpiEvent)
    await sink.write(log(window(0, 9, pieces=10)))
    await sink.write(log(window(0, 1, pieces=99), at=1))
    assert sums(plant) == [(1, "ORD-1", 10)]


async def test_a_window_that_is_refused_is_in_no_sum(plant: Plant):
    """Its neighbours are, in their own hours and in its own."""
    sink = await plant.sink(KpiEvent)
    written = await sink.write(
        log(window(0, 1, pieces=1), window(1, 2, pieces=2, reason="\0"), window(2, 3, pieces=4))
    )
    assert len(written.letters) == 1
    assert sums(plant) == [(1, "ORD-1", 5)]
    assert as_summed_at_once(plant)


async def test_sums_of_doubles_do_not_depend_on_their_order(plant: Plant):
    """A tenth three times is three tenths, whichever window came first."""
    sink = await plant.sink(KpiEvent)
    tenths = {"running_seconds": 0.1, "theoretical_output": 0.1, "reported_output": 0.7}
    await sink.write(log(*(window(n, 9 - n, **tenths) for n in (5, 3, 4))))
    (row,) = plant.rows('SELECT * FROM "KPISum"')
    assert (row["runningSeconds"], row["theoreticalOutput"], row["reportedOutput"]) == (0.3, 0.3, 2.1)


async def test_an_hour_is_looked_up_however_long_the_past_is(plant: Plant):
    """Summing hours anew does not read the table, and many of them cost what few do, each."""
    sink = await plant.sink(KpiEvent)
    await sink.write(log(window(0, 1)))
    plant.run(
        """INSERT INTO "KPISnapshot"
        SELECT earlier.*
        FROM "KPISnapshot" k
        CROSS JOIN generate_series(1, 20000) AS n
        CROSS JOIN LATERAL json_populate_record(k, json_build_object(
            'id', gen_random_uuid(),
            'hour', k."hour" - n * interval '1 minute',
            'windowStart', k."windowStart" - n * interval '1 minute'
        )) AS earlier"""
    )
    plant.run('ANALYZE "KPISnapshot"')
    parameters = [msgspec.json.encode([window(0, 1)]).decode()]
    plan = "\n".join(row["QUERY PLAN"] for row in plant.rows(f"EXPLAIN {SUM_HOURS}", parameters))
    assert 'Seq Scan on "KPISnapshot"' not in plan
    assert "hashed SubPlan" in plan

"""The Pareto of stops: the causes of lost time, the worst first."""

from typing import Any

import psycopg
import pytest

from schemas.ids import uuid_of
from tests.services import Services
from tests.sinks.windows import LONG_AGO, Rows, at


@pytest.fixture
def rows(services: Services) -> Rows:
    return Rows(services.migrated_database())


def stop(rows: Rows, start: str, seconds: float | None, reason: str | None, **facts: Any) -> None:
    """A stop of a line; without a duration it goes on."""
    begun = at(f"2026-03-02 {start}")
    row = {
        "line_id": "ligne1",
        "category": "unplanned",
        "order": "ORD-1",
        **facts,
        "id": uuid_of("stop", start, str(facts)),
        "start": begun,
        "seconds": seconds,
        "reason": reason,
        "at": LONG_AGO,
        "required": facts.get("required"),
    }
    with psycopg.connect(rows.url) as connection:
        connection.execute(
            """INSERT INTO "Downtime" ("id", "lineId", "line", "startTime", "endTime", "duration", "category",
                "reason", "orderNumber", "createdAt", "updatedAt", "generation", "versionTime",
                "versionOffset", "requiredSeconds")
            VALUES (%(id)s, %(line_id)s, 'Ligne 1', %(start)s, %(start)s + %(seconds)s * interval '1 second',
                %(seconds)s, %(category)s, %(reason)s, %(order)s, %(at)s, %(at)s, 1, 0, 0, %(required)s)""",
            row,
        )


def planned(number: str, rate: float, created: str) -> str:
    """The statement that writes an order that never ran; its rate in pieces a minute."""
    return f"""INSERT INTO "ProductionOrder" ("id", "lineId", "line", "orderNumber", "productType",
            "quantity", "produced", "defects", "targetRate", "status", "priority", "createdAt", "updatedAt",
            "generation", "versionTime", "versionOffset")
        VALUES (gen_random_uuid(), 'ligne1', 'Ligne 1', '{number}', 'A', 1, 0, 0, {rate}, 'running', 'low',
            '{created}', '{created}', 1, 0, 0)"""


def pareto(rows: Rows, where: str = "true", source: str = '"StopPareto"') -> list[tuple[Any, ...]]:
    """Reason, stops, seconds, pieces, share, cumulative share; the worst first."""
    found = rows.query(
        f'SELECT * FROM {source} WHERE {where} ORDER BY "lineId", "cumulativeShare", "category"'
    )
    names = ("reason", "stops", "durationSeconds", "lostPieces", "share", "cumulativeShare")
    return [tuple(row[name] for name in names) for row in found]


def test_the_worst_cause_comes_first(rows: Rows):
    """Counts, durations, shares of the time lost, and what was not made at the order's own rate."""
    #  10:00 ──────── 10:10 ■■ jam 10:20 ── 10:30 ■ no bottles ── 10:40 ■ jam      2 pieces a minute
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    stop(rows, "10:10", 600, "jam")
    stop(rows, "10:30", 200, "no bottles")
    stop(rows, "10:40", 200, "jam")
    assert pareto(rows) == [("jam", 2, 800, 26.666667, 80, 80), ("no bottles", 1, 200, 6.666667, 20, 100)]


def test_each_order_at_its_own_rate(rows: Rows):
    """A minute of a fast product costs more pieces; one that never ran, at the rate that was planned."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10", rate=2.0)
    rows.run("2026-03-02 11:00", "2026-03-02 11:10", rate=8.0, orderNumber="ORD-2")
    rows.query(planned("ORD-3", 30, LONG_AGO))
    for minute, order in ((20, "ORD-1"), (21, "ORD-2"), (22, "ORD-3")):
        stop(rows, f"11:{minute}", 60, "jam", order=order)
    assert pareto(rows) == [("jam", 3, 180, 2 + 8 + 30, 100, 100)]


def test_a_number_that_came_again_is_at_the_rate_of_the_newest_order(rows: Rows):
    """Once, not once an order."""
    rows.query(planned("ORD-3", 30, "2026-03-01T10:00:00Z"), planned("ORD-3", 50, LONG_AGO))
    stop(rows, "11:20", 60, "jam", order="ORD-3")
    assert pareto(rows) == [("jam", 1, 60, 30, 100, 100)]


def test_only_required_time_is_lost(rows: Rows):
    """Planned stops and silence have no lost pieces and no share: none were required, or it is not known."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    stop(rows, "10:10", 30, None, category="micro")
    stop(rows, "10:20", 600, "break", category="planned")
    stop(rows, "10:30", 600, "pipeline", category="no_signal")
    assert pareto(rows) == [
        (None, 1, 30, 1, 100, 100),
        ("pipeline", 1, 600, None, None, None),
        ("break", 1, 600, None, None, None),
    ]


def test_a_night_is_no_loss(rows: Rows):
    """A stop from before closing to the next morning costs what was required of it."""
    #  10:00 ── 10:10 ■ jam, 60 s ── 21:58 ■■│■■■■ closed ■■■■│■■ 06:02 repair: 240 s of 8 h 04
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    stop(rows, "10:10", 60, "jam", required=60)
    stop(rows, "21:58", 29_040, "repair", required=240)
    assert pareto(rows) == [("repair", 1, 29_040, 8, 80, 80), ("jam", 1, 60, 2, 20, 100)]
    lost = rows.query('SELECT "lostSeconds" FROM "StopPareto" ORDER BY "share"')
    assert [row["lostSeconds"] for row in lost] == [60, 240]


def test_a_stop_that_goes_on_is_not_in_it(rows: Rows):
    """Its duration is not known yet."""
    stop(rows, "10:10", None, "jam")
    assert pareto(rows) == []


def test_a_period_and_a_line_are_chosen(rows: Rows):
    """Stops belong to where they began; shares are those of the period, each line's its own."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    stop(rows, "09:59", 600, "jam")
    stop(rows, "10:00", 60, "jam")
    stop(rows, "10:30", 180, "no bottles")
    stop(rows, "11:00", 60, "too late")
    stop(rows, "10:30", 60, "jam", line_id="ligne2", order=None)
    hour = "stop_pareto('2026-03-02 10:00+01', '2026-03-02 11:00+01')"
    assert pareto(rows, "\"lineId\" = 'ligne1'", hour) == [
        ("no bottles", 1, 180, 6, 75, 75),
        ("jam", 1, 60, 2, 25, 100),
    ]
    assert pareto(rows, "\"lineId\" = 'ligne2'", hour) == [("jam", 1, 60, None, 100, 100)]


def test_what_was_not_made_is_told_of_all_stops_of_a_cause_or_of_none(rows: Rows):
    """A line without an order has no known rate; where no time was required, none is needed."""
    #  ── order ── ■■ jam ── no order ── ■■ jam ■ cleaning ── order ── ■ cleaning, asked for
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    stop(rows, "10:10", 600, "jam")
    stop(rows, "10:30", 300, "jam", order=None)
    stop(rows, "10:40", 60, "cleaning")
    stop(rows, "10:45", 60, "cleaning", order=None, required=0)
    assert pareto(rows) == [
        ("jam", 2, 900, None, 93.75, 93.75),
        ("cleaning", 2, 120, 2, 6.25, 100),
    ]

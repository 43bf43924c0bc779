"""Hours, shifts, days, weeks, orders, products, lines, the plant: ratios of the sums of their windows."""

import json
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.ids import uuid_of
from tests.services import Services
from tests.sinks.windows import Rows, at, minute, stopped

pytestmark = [pytest.mark.quick, pytest.mark.both]

HOUR = timedelta(hours=1)
VECTORS = tomllib.loads((Path(__file__).parents[1] / "rules" / "vectors.toml").read_text("utf-8"))["vector"]
PRODUCTS = [vector for vector in VECTORS if "segments" in vector]


@pytest.fixture
def rows(services: Services) -> Rows:
    return Rows(services.migrated_database())


def values(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some columns of a row."""
    return tuple(row[name] for name in names)


def test_a_shift_over_midnight_is_one_row(rows: Rows):
    """It bears the day on which it began; each civil day has its own part of it."""
    #       22:00        00:00             06:00
    #  NUIT   |────────────|■■■■──────────────|       ■ stopped: 1 h of 8
    night = {"shiftId": "NUIT", "shiftDate": "2026-03-01"}
    rows.run("2026-03-01 22:00", "2026-03-02 00:00", **night)
    rows.run("2026-03-02 00:00", "2026-03-02 01:00", rate=0, made=0, **stopped(60, **night))
    rows.run("2026-03-02 01:00", "2026-03-02 06:00", **night)
    (shift,) = rows.view("KPIShift")
    assert values(shift, "shiftId", "shiftDate", "availability") == ("NUIT", date(2026, 3, 1), 87.5)
    assert values(shift, "periodStart", "periodEnd") == (at("2026-03-01 22:00"), at("2026-03-02 06:00"))
    assert [values(day, "day", "availability") for day in rows.view("KPIDay")] == [
        (date(2026, 3, 1), 100),
        (date(2026, 3, 2), 83.3333),
    ]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_the_hours_of_its_clock(rows: Rows, day: str, hours: int):
    """In spring 02:00 is missing, in autumn it comes twice: two hours, each with its own start."""
    #  25 h   00 01 02 02 03 ... 23
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    rows.run(f"{day} 00:00", f"{after} 00:00")
    (whole,) = rows.view("KPIDay")
    assert values(whole, "runningSeconds", "periodStart") == (hours * 3600, at(f"{day} 00:00"))
    assert whole["periodEnd"] - whole["periodStart"] == hours * HOUR
    each = rows.view("KPIHour")
    assert [values(hour, "runningSeconds", "trs") for hour in each] == [(3600, 100)] * hours
    assert [hour["periodStart"] - each[0]["periodStart"] for hour in each] == [n * HOUR for n in range(hours)]
    assert all(hour["periodEnd"] - hour["periodStart"] == HOUR for hour in each)


def test_a_week_is_from_monday_to_sunday(rows: Rows):
    """An ISO week: the last one of 2026 goes on into January; one with a change of clocks has 167 hours."""
    #  Mo 28.12  ...  Th 31.12 | Fr 1.1.  ...  Su 3.1. | Mo 4.1.
    #  ├────────────── 2026-W53 ───────────────────────┼─ 2027-W01
    rows.run("2026-12-31 23:50", "2027-01-01 00:10")
    rows.run("2027-01-03 23:50", "2027-01-04 00:05")
    rows.run("2026-03-29 12:00", "2026-03-29 12:01")
    rows.run("2024-12-31 12:00", "2024-12-31 12:01")  # belongs to the week of the year after
    newyear, *weeks = rows.view("KPIWeek")
    assert values(newyear, "week", "periodStart") == ("2025-W01", at("2024-12-30"))
    assert [values(week, "week", "pieces") for week in weeks] == [
        ("2026-W13", 2),
        ("2026-W53", 60),
        ("2027-W01", 10),
    ]
    assert values(weeks[1], "periodStart", "periodEnd") == (at("2026-12-28"), at("2027-01-04"))
    assert weeks[0]["periodEnd"] - weeks[0]["periodStart"] == 167 * HOUR


@pytest.mark.parametrize("vector", PRODUCTS, ids=lambda vector: vector["name"])
def test_two_products_in_a_shift_are_weighed_by_what_was_possible(rows: Rows, vector: dict[str, Any]):
    """The shift's performance is that of the sums; a product's row has its own."""
    #   product A, 2 a minute        product B, 8 a minute
    #  |─────────────────────|───────────────────────────────|   A makes all it could, B the rest of the count
    first, second = vector["segments"]
    a, b = int(first["minutes"]), int(second["minutes"])
    made = a * int(first["rate_per_min"])
    rest = (vector["count"] - made) // b
    change = at("2026-03-02 06:00") + timedelta(minutes=a)
    end = change + timedelta(minutes=b)
    rows.run(
        "2026-03-02 06:00", f"{change:%F %R}", rate=first["rate_per_min"], made=made // a, productType="A"
    )
    over = vector["count"] - made - rest * b
    rows.run(f"{change:%F %R}", f"{end:%F %R}", rate=second["rate_per_min"], made=rest, productType="B")
    rows.add(minute(end - timedelta(minutes=1), runningSeconds=0, rate=0, made=over, productType="B"))
    (shift,) = rows.view("KPIShift")
    assert shift["performance"] == pytest.approx(vector["performance"], abs=0.01)
    products = {row["productType"]: row["performance"] for row in rows.view("KPIProduct")}
    assert products["A"] == 100
    assert products["B"] == pytest.approx(
        100 * (vector["count"] - made) / (b * second["rate_per_min"]), abs=0.01
    )


def test_an_order_changed_in_the_middle_of_an_hour(rows: Rows):
    """Each order has its minutes; hour and shift have both."""
    #  10:00      10:20                    11:00
    #    |─ ORD-1 ──|──────── ORD-2 ─────────|
    rows.run("2026-03-02 10:00", "2026-03-02 10:20")
    rows.run("2026-03-02 10:20", "2026-03-02 11:00", orderNumber="ORD-2", productType="Soda", made=1)
    assert [
        values(row, "orderNumber", "productType", "pieces", "performance") for row in rows.view("KPIOrder")
    ] == [
        ("ORD-1", "Eau 50cl", 40, 100),
        ("ORD-2", "Soda", 40, 50),
    ]
    (hour,) = rows.view("KPIHour")
    assert values(hour, "pieces", "performance", "runningSeconds") == (80, 66.6667, 3600)


ORDER = """INSERT INTO "ProductionOrder" SELECT * FROM json_populate_record(NULL::"ProductionOrder", '{}')"""


def order(number: str, began: str, ended: str | None, made: int) -> str:
    """The statement that writes an order's row."""
    row = {
        **{"id": uuid_of("order", number, began), "lineId": "ligne1", "line": "Ligne 1", "priority": "low"},
        **{
            "orderNumber": number,
            "productType": "Eau 50cl",
            "quantity": 1000,
            "produced": made,
            "defects": 0,
        },
        **{"startTime": at(began).isoformat(), "endTime": ended and at(ended).isoformat()},
        **{"createdAt": at(began).isoformat(), "updatedAt": at(began).isoformat(), "generation": 1},
        **{"versionTime": 0, "versionOffset": 0, "status": "completed" if ended else "running"},
    }
    return ORDER.format(json.dumps(row))


def test_two_orders_of_one_number_are_two_rows_within_an_hour_too(rows: Rows):
    """Each has what was made in its own time; a number that came once is not split at its end."""
    #  10:00     10:20   10:30    11:10 11:20
    #    |─ ORD-1 ─|       |─ ORD-1 ────| ORD-2 │ ... a correction behind its end
    rows.query(order("ORD-1", "2026-03-02 10:00", "2026-03-02 10:20", 40))
    rows.run("2026-03-02 10:00", "2026-03-02 10:20")
    (alone,) = rows.view("KPIOrder")
    rows.query(
        order("ORD-1", "2026-03-02 10:30", None, 40),
        order("ORD-2", "2026-03-02 11:10", "2026-03-02 11:20", 10),
    )
    rows.run("2026-03-02 10:30", "2026-03-02 11:10", made=1, shiftId="SOIR")
    rows.run("2026-03-02 11:10", "2026-03-02 11:21", made=1, orderNumber="ORD-2")
    first, again, other = rows.view("KPIOrder")
    assert first == alone
    assert values(first, "orderNumber", "pieces", "runningSeconds", "performance") == ("ORD-1", 40, 1200, 100)
    assert values(again, "orderNumber", "pieces", "runningSeconds", "performance") == ("ORD-1", 40, 2400, 50)
    assert values(again, "periodStart", "periodEnd") == (at("2026-03-02 10:30"), at("2026-03-02 11:10"))
    assert values(other, "orderNumber", "pieces") == ("ORD-2", 11)


def test_a_figure_is_a_ratio_of_sums(rows: Rows):
    """Two minutes of 50 % and 100 % are not 75 % where the first had more to do."""
    #  minute   target   made                 ratio of sums: 60 of 110, mean of the two: 75
    #    1        100      50
    #    2         10      10
    rows.add(
        minute(at("2026-03-02 10:00"), rate=100, made=50), minute(at("2026-03-02 10:01"), rate=10, made=10)
    )
    for view in ("KPIHour", "KPIShift", "KPIDay", "KPIWeek", "KPIOrder", "KPIProduct", "KPILine", "KPIPlant"):
        (row,) = rows.view(view)
        assert values(row, "performance", "trs", "pieces") == (54.5455, 54.5455, 60), view


def test_trg_and_tre_and_times_between_stops(rows: Rows):
    """NF E60-182, one shift: 1440 minutes of calendar, 540 open, 450 required; TRS 60, TRG 50, TRE 18.75."""
    vector = next(vector for vector in VECTORS if vector["name"] == "NF E60-182, one shift")
    start = at("2026-03-02 10:00")
    made, planned = vector["good"] + vector["bad"], 60 * (vector["open_min"] - vector["required_min"])
    rows.add(
        minute(
            start,
            rate=vector["required_min"] / vector["cycle_min"],
            made=made,
            defects=vector["bad"],
            runningSeconds=400 * 60,
            stoppedSeconds=50 * 60,
            microSeconds=10 * 60,
            stops=4,
            plannedSeconds=planned,
            closedSeconds=60 * (vector["calendar_min"] - vector["open_min"]),
        )
        | {"theoreticalOutput": 400 / vector["cycle_min"]}
    )
    (day,) = rows.view("KPIDay")
    assert values(day, "trs", "trg", "tre") == pytest.approx((60, 50, 18.75), abs=0.01)
    assert values(day, "mtbf", "mttr") == (6000, 600)
    assert day["do"] * day["tp"] * day["tq"] == pytest.approx(day["trs"] * 1e4, rel=1e-6)
    assert values(day, "do", "availability") == (91.1111, 88.8889)


def test_a_correction_counts_where_it_belongs(rows: Rows):
    """Its deltas are added; a period that has nothing else has no figures."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    rows.add(minute(at("2026-03-02 10:05"), made=-4, rate=-2, reason="correction", runningSeconds=-60))
    rows.add(minute(at("2026-03-01 10:05"), made=-4, rate=-2, reason="correction", runningSeconds=-60))
    before, day = rows.view("KPIDay")
    assert values(day, "pieces", "runningSeconds", "performance") == (16, 540, 88.8889)
    assert values(before, "reason", "trs", "performance", "quality", "mtbf") == ("correction", *[None] * 4)


def test_time_outside_every_shift(rows: Rows):
    """It is in the day's row, and in no shift's."""
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    rows.run("2026-03-02 19:00", "2026-03-02 19:05", shiftId=None, shiftDate=None)
    assert [row["pieces"] for row in rows.view("KPIShift")] == [20]
    assert [row["pieces"] for row in rows.view("KPIDay")] == [30]


def test_the_plant_is_all_of_its_lines(rows: Rows):
    """Each line with its own performance: by its rate, or by its pieces."""
    #  ligne1   pieces: 2 of 2      ligne2   rate: reported 1 of 2, although 7 were counted
    rows.run("2026-03-02 10:00", "2026-03-02 10:10")
    rows.run(
        "2026-03-02 10:00",
        "2026-03-02 10:10",
        line="ligne2",
        made=7,
        performanceFrom="rate",
        reportedOutput=1,
    )
    (plant,) = rows.view("KPIPlant")
    assert values(plant, "performance", "pieces", "realOutput") == (75, 90, 30)
    assert values(plant, "periodStart", "periodEnd") == (at("2026-03-02"), at("2026-03-03"))
    assert {row["lineId"]: row["performance"] for row in rows.view("KPILine")} == {
        "ligne1": 100,
        "ligne2": 50,
    }


def test_a_line_elsewhere_has_its_own_midnight(rows: Rows):
    """Where a line has a clock of its own, its days, weeks and hours are by that."""
    #  Paris     23:30        Kolkata   04:00 of the next day
    rows.run("2026-03-01 23:30", "2026-03-01 23:40")
    rows.run("2026-03-02 04:00", "2026-03-02 04:10", zone="Asia/Kolkata", line="ligne2")
    assert [values(row, "line", "day", "periodStart") for row in rows.view("KPIDay")] == [
        ("Ligne 1", date(2026, 3, 1), at("2026-03-01")),
        ("Ligne 2", date(2026, 3, 2), at("2026-03-02", "Asia/Kolkata")),
    ]
    assert [hour["periodStart"] for hour in rows.view("KPIHour", "\"lineId\" = 'ligne2'")] == [
        at("2026-03-02 04:00", "Asia/Kolkata")
    ]


LINE, DAY = "\"lineId\" = 'ligne1'", "'2026-03-02'"


@pytest.mark.parametrize(
    ("view", "condition"),
    [
        ("KPIHour", f'{LINE} AND "periodStart" >= {DAY}'),
        ("KPIHour", f'"periodStart" >= {DAY}'),
        ("KPIHour", f'"day" = {DAY}'),
        ("KPIShift", f'"shiftDate" >= {DAY}'),
        ("KPIDay", f'{LINE} AND "periodStart" >= {DAY}'),
        ("KPIDay", f'"day" > {DAY}'),
        ("KPIDay", f'"periodStart" > {DAY}'),
        ("KPIWeek", f'"periodStart" > {DAY}'),
        ("KPIPlant", f'"periodStart" > {DAY}'),
        ("KPIPlant", f'"day" > {DAY}'),
        ("KPIOrder", f"{LINE} AND \"orderNumber\" = 'ORD-1'"),
        ("KPILine", LINE),
        ("KPIProduct", LINE),
    ],
)
def test_what_is_asked_reaches_an_index(rows: Rows, view: str, condition: str):
    """A condition on line, day or period picks rows before anything is summed."""
    assert reaches_an_index(rows, view, condition)


def test_a_condition_on_a_sum_reaches_none(rows: Rows):
    """The test above can fail."""
    assert not reaches_an_index(rows, "KPIDay", '"pieces" > 1')


def reaches_an_index(rows: Rows, view: str, condition: str) -> bool:
    """Whether PostgreSQL can look the condition up; a table without rows would rather be read as it is."""
    plan = rows.query("SET enable_seqscan = off", f'EXPLAIN SELECT * FROM "{view}" WHERE {condition}')
    return any("Index Cond" in line["QUERY PLAN"] for line in plan)

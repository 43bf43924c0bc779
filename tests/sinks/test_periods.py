"""Products and lines over some of their time: the hours that begin in a period."""

from typing import Any

import pytest

from sinks.schema import check, migrate
from tests.services import Services
from tests.sinks.windows import Rows, stopped


@pytest.fixture
def rows(services: Services) -> Rows:
    return Rows(services.migrated_database())


def pieces(rows: Rows, function: str, since: str, until: str) -> dict[str, int]:
    """What was made in a period, by product or line."""
    key = {"kpi_product": "productType", "kpi_line": "lineId"}[function]
    return {row[key]: row["pieces"] for row in rows.query(f"SELECT * FROM {function}('{since}', '{until}')")}


def two_hours(rows: Rows) -> None:
    """Of two products."""
    #  10:00      10:40          11:00           12:00
    #    |── Eau ──|──── Soda ─────|───── Soda ────|      ligne1, 2 a minute
    #    |──────── Soda ───────────|                      ligne2, 1 a minute
    rows.run("2026-03-02 10:00", "2026-03-02 10:40", productType="Eau")
    rows.run("2026-03-02 10:40", "2026-03-02 12:00", productType="Soda")
    rows.run("2026-03-02 10:00", "2026-03-02 11:00", line="ligne2", made=1, productType="Soda")


def test_a_period_has_its_own_hours_only(rows: Rows):
    """From `since` on, up to `until`, which is not in it."""
    two_hours(rows)
    first, second = ("2026-03-02 10:00+01", "2026-03-02 11:00+01"), ("2026-03-02 11:00+01", "infinity")
    assert pieces(rows, "kpi_line", *first) == {"ligne1": 120, "ligne2": 60}
    assert pieces(rows, "kpi_line", *second) == {"ligne1": 120}
    assert pieces(rows, "kpi_product", *second) == {"Soda": 120}
    found = rows.query(
        f"""SELECT line, "productType", pieces, performance FROM kpi_product('{first[0]}', '{first[1]}')
        ORDER BY 1, 2"""
    )
    assert [tuple(row.values()) for row in found] == [
        ("Ligne 1", "Eau", 80, 100),
        ("Ligne 1", "Soda", 40, 100),
        ("Ligne 2", "Soda", 60, 50),
    ]
    assert pieces(rows, "kpi_line", "2026-03-02 12:00+01", "infinity") == {}


def test_an_hour_belongs_to_the_period_that_it_begins_in(rows: Rows):
    """Whole: so periods that meet at any time share no piece, and miss none."""
    #  10:00          11:00          12:00
    #    |─────────────|──────────────|
    #          └ 10:30                         until then: the first hour; from then on: the second
    two_hours(rows)
    half, end = "2026-03-02 10:30+01", "2026-03-02 12:00+01"
    assert pieces(rows, "kpi_line", "2026-03-02 10:00+01", half) == {"ligne1": 120, "ligne2": 60}
    assert pieces(rows, "kpi_line", half, end) == {"ligne1": 120}


def test_the_hour_that_comes_twice_is_two(rows: Rows):
    """On the night that has 25, each 02:00 is an hour of its own."""
    rows.run("2026-10-25 00:00", "2026-10-26 00:00")
    assert pieces(rows, "kpi_line", "2026-10-25 02:00+02", "2026-10-25 02:00+01") == {"ligne1": 120}
    assert pieces(rows, "kpi_line", "2026-10-25 00:00+02", "2026-10-26 00:00+01") == {"ligne1": 25 * 120}


@pytest.mark.parametrize(("function", "view"), [("kpi_product", "KPIProduct"), ("kpi_line", "KPILine")])
def test_over_all_time_it_is_the_view(rows: Rows, function: str, view: str):
    """The same columns, the same rows."""
    two_hours(rows)
    rows.run("2026-03-02 12:00", "2026-03-02 12:30", rate=0, made=0, **stopped(60, productType=None))

    def rows_of(source: str) -> list[dict[str, Any]]:
        return rows.query(f'SELECT * FROM {source} ORDER BY "lineId", "periodStart"')

    of_view = rows_of(f'"{view}"')
    assert len(of_view) >= 2
    assert rows_of(f"{function}('-infinity', 'infinity')") == of_view


@pytest.mark.parametrize("function", ["kpi_product", "kpi_line"])
def test_a_period_reaches_an_index(rows: Rows, function: str):
    """The function is inlined into the query; its hours are found by an index."""
    asked = f"SELECT * FROM {function}('2026-03-02', '2026-03-03')"
    plan = rows.query("SET enable_seqscan = off", f"EXPLAIN {asked}")
    assert any("Index Cond" in line["QUERY PLAN"] and "hour" in line["QUERY PLAN"] for line in plan)


def test_a_function_that_is_missing_is_noticed(rows: Rows):
    """By the doctor, and by each role at start; `setup` makes it."""
    rows.query("DROP FUNCTION kpi_line")
    assert '"kpi_line"; run linepulse setup' in (check(rows.url) or "")
    migrate(rows.url)
    assert check(rows.url) is None


def test_another_releases_columns_give_way(rows: Rows):
    """With the function whose rows they are."""
    rows.query(
        'DROP VIEW "KPILine" CASCADE',
        'CREATE VIEW "KPILine" AS SELECT 1 AS other',
        'CREATE FUNCTION kpi_line(since timestamptz, until timestamptz) RETURNS SETOF "KPILine"'
        """ LANGUAGE sql BEGIN ATOMIC SELECT * FROM "KPILine"; END""",
    )
    migrate(rows.url)
    two_hours(rows)
    assert pieces(rows, "kpi_line", "-infinity", "infinity") == {"ligne1": 240, "ligne2": 60}

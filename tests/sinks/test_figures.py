"""Figures in SQL, beside those of rules/kpi/figures.py."""

import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row

from rules.kpi.figures import Sums, figures, mtbf, mttr
from sinks.schema import migrate
from sinks.views import figures_of
from tests.services import Services

FIGURES = ("trs", "availability", "performance", "quality", "oee", "do", "tp", "tq", "trg", "tre")
LAST_DIGIT = 1.01e-4  # of a figure: one may be rounded up where the other is rounded down
MILLISECOND = 1.01e-3
QUERY = figures_of(
    sql.SQL('SELECT * FROM json_populate_recordset(NULL::"KPISum", {})').format(sql.Placeholder())
)

milliseconds = st.one_of(st.just(0), st.integers(0, 400 * 86_400_000))
counts = st.one_of(st.just(0), st.integers(0, 10**9))
micro_pieces = st.one_of(st.just(0), st.integers(0, 10**15))
a_correction = st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 1, -1])
sums = st.builds(
    lambda sign, times, pieces, defects, theoretical, real, stops: {
        "runningSeconds": sign * times[0] / 1000,
        "microSeconds": times[1] / 1000,
        "stoppedSeconds": (times[1] + times[2]) / 1000,
        "plannedSeconds": times[3] / 1000,
        "closedSeconds": times[4] / 1000,
        "pieces": pieces,
        "defects": defects,
        "theoreticalOutput": theoretical / 1e6,
        "realOutput": real / 1e6,
        "stops": stops,
    },
    a_correction,
    st.tuples(*[milliseconds] * 5),
    counts,
    counts,
    micro_pieces,
    micro_pieces,
    st.integers(0, 1000),
)


@pytest.fixture(scope="module")
def connection(services: Services) -> Any:
    url = services.database()
    migrate(url)
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        yield connection


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(sums, min_size=1, max_size=50))
def test_sql_and_python_have_the_same_figures(
    connection: psycopg.Connection[Any], many: list[dict[str, Any]]
):
    """From the same sums, whatever they are: the same figures, missing ones and reasons too."""
    rows = connection.execute(QUERY, [json.dumps(many)]).fetchall()
    for row, columns in zip(rows, many, strict=True):
        wanted = of(columns)
        found = figures(wanted)
        assert row["reason"] == found.reason, columns
        for name in FIGURES:
            assert same(row[name], getattr(found, name), LAST_DIGIT), (name, row[name], found, columns)
        if found.reason != "correction":
            assert same(row["mtbf"], mtbf(wanted), MILLISECOND)
            assert same(row["mttr"], mttr(wanted), MILLISECOND)


def same(one: float | None, other: float | None, apart: float) -> bool:
    """Both missing, or equal but for rounding."""
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=1e-12, abs=apart)


def of(columns: dict[str, Any]) -> Sums:
    """A row's sums, as Python has them."""
    return Sums(
        running=columns["runningSeconds"],
        micro=columns["microSeconds"],
        unplanned=round(columns["stoppedSeconds"] - columns["microSeconds"], 3),
        planned=columns["plannedSeconds"],
        closed=columns["closedSeconds"],
        pieces=columns["pieces"],
        defects=columns["defects"],
        theoretical=columns["theoreticalOutput"],
        real=columns["realOutput"],
        stops=columns["stops"],
    )

"""Figures from sums: published examples, missing figures, odd figures."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from rules.kpi.figures import Sums, figures, mtbf, mttr

VECTORS = {
    vector["name"]: vector
    for vector in tomllib.loads((Path(__file__).parent / "vectors.toml").read_text())["vector"]
}
POINT = 0.01
FIGURES = {"trs", "trg", "tre", "availability", "performance", "quality", "oee"}


def sums_of(vector: dict[str, Any]) -> Sums:
    """A published example as sums, in minutes: what it leaves out follows from its own definitions."""
    running: float
    if "segments" in vector:
        running = sum(part["minutes"] for part in vector["segments"])
        output = sum(part["minutes"] * part["rate_per_min"] for part in vector["segments"])
        return Sums(running=running, theoretical=output, pieces=int(vector["count"]), real=vector["count"])
    if "useful_min" in vector:  # a piece a minute
        running, net, useful = vector["running_min"], vector["net_min"], vector["useful_min"]
        return _by_times(
            vector,
            running,
            Sums(running, theoretical=running, real=net, pieces=int(net), defects=int(net - useful)),
        )
    if "cycle_min" in vector:  # running all the time that was required: TRS does not depend on it
        required, pieces = vector["required_min"], int(vector["good"] + vector["bad"])
        return _by_times(
            vector,
            required,
            Sums(
                required,
                theoretical=required / vector["cycle_min"],
                real=pieces,
                pieces=pieces,
                defects=int(vector["bad"]),
            ),
        )
    cycle = vector.get("ideal_cycle_min", vector.get("ideal_cycle_s", 0) / 60)
    running = vector.get("running_min", vector["planned_min"] - vector.get("down_min", 0))
    defects = vector.get("defects", vector["count"] - vector.get("good", 0))
    return Sums(
        running,
        unplanned=vector["planned_min"] - running,
        pieces=int(vector["count"]),
        defects=int(defects),
        theoretical=running / cycle,
        real=vector["count"],
    )


def _by_times(vector: dict[str, float], running: float, known: Sums) -> Sums:
    return known._replace(
        unplanned=vector["required_min"] - running,
        planned=vector["open_min"] - vector["required_min"],
        closed=vector["calendar_min"] - vector["open_min"],
    )


@pytest.mark.parametrize("name", VECTORS)
def test_a_published_example_comes_out_as_published(name):
    """Every figure that it gives, to a hundredth of a point."""
    vector = VECTORS[name]
    found = figures(sums_of(vector))
    given = {key: value for key, value in vector.items() if key in FIGURES}
    assert given
    for key, value in given.items():
        assert getattr(found, key) == pytest.approx(value, abs=POINT), key


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (Sums(), {"reason": "not_required"}),
        (Sums(planned=60, closed=60), {"reason": "not_required"}),
        (Sums(pieces=4, defects=1), {"quality": 75, "reason": "not_required"}),
        (
            Sums(unplanned=60),
            {"availability": 0, "do": 0, "trs": 0, "trg": 0, "tre": 0, "reason": "not_running"},
        ),
        (
            Sums(running=60, theoretical=120, real=60),
            {"availability": 100, "do": 100, "performance": 50, "tp": 50, "reason": "no_pieces"},
        ),
        (
            Sums(running=60, pieces=10),
            {"availability": 100, "do": 100, "quality": 100, "reason": "no_target"},
        ),
        # A target of 1e-309 gives no figure, not an infinite one.
        (
            Sums(running=60, theoretical=1e-309, real=2, pieces=10),
            {"availability": 100, "do": 100, "quality": 100, "reason": "no_target"},
        ),
        (
            Sums(30, unplanned=30, planned=20, closed=40, theoretical=60, real=60, pieces=50, defects=5),
            {"availability": 50, "do": 50, "performance": 100, "tp": 100, "quality": 90,
             "trs": 45, "trg": 33.75, "tre": 22.5},
        ),
        (
            Sums(running=60, theoretical=60, real=90, pieces=60),
            {"availability": 100, "do": 100, "performance": 150, "tp": 150, "quality": 100,
             "trs": 150, "trg": 150, "tre": 150, "reason": "above_100"},
        ),
        (
            Sums(running=60, theoretical=60, real=60, pieces=2, defects=3),
            {"availability": 100, "do": 100, "performance": 100, "tp": 100, "quality": -50,
             "trs": -50, "trg": -50, "tre": -50, "reason": "defects_above_pieces"},
        ),
        (Sums(running=60, micro=-2, theoretical=60, real=60, pieces=2), {"reason": "correction"}),
    ],
)  # fmt: skip
def test_figures_that_do_not_exist_are_null_and_say_why(sums, expected):
    """A zero denominator gives neither 0 nor 100; figures above 100 or below 0 are kept, with a reason."""
    found = {key: value for key, value in figures(sums)._asdict().items() if value is not None}
    assert found == expected


def test_a_micro_stop_is_a_loss_of_pace_for_one_standard_and_of_availability_for_the_other():
    """The product of the figures is the same."""
    found = figures(Sums(running=45, micro=15, unplanned=15, theoretical=90, real=72, pieces=72, defects=0))
    assert (found.availability, found.performance) == (60, 80)
    assert (found.do, found.tp) == (80, 60)
    assert found.trs == 48


def test_time_between_failures_and_to_restoration():
    """Two stops of 5 minutes in two hours: 55 minutes of running each."""
    sums = Sums(running=110, unplanned=10, stops=2)
    assert (mtbf(sums), mttr(sums)) == (55, 5)
    assert (mtbf(Sums(running=110)), mttr(Sums(running=110))) == (None, None)

"""Alerts: thresholds, delays, deadbands; at most one open per line and type."""

from typing import get_args

import pytest

from plant.alert_rules import SEVERITY, AlertType
from plant.catalogue import sentence
from schemas.events import Severity
from schemas.raw import Kind
from tests.rules.line import Line


def alert_times(line: Line, kind: str) -> list[tuple[str, str | None]]:
    """(began, resolved) of each alert of a type, as minutes and seconds."""
    return [(row.started_at[14:19], row.resolved_at and row.resolved_at[14:19]) for row in line.alerts(kind)]


def test_a_low_rate_is_told_after_a_minute_and_since_when_it_began():
    """Below 80 % of the target, while running; it ends at 85 %."""
    #  rate 120      90         100 (83 %)      102 (85 %)
    #  ───────────┤..........■■■■■■■■■■■■■■■■■■├────
    #          00:10      01:10             01:50
    line = Line.at("10:00").runs(seconds=10).runs(seconds=60, rate=90)
    assert alert_times(line, "LOW_RATE") == []
    line.runs(seconds=20, rate=90)
    assert alert_times(line, "LOW_RATE") == [("00:10", None)]
    line.runs(seconds=20, rate=100)
    assert alert_times(line, "LOW_RATE") == [("00:10", None)]
    line.runs(seconds=10, rate=102)
    assert alert_times(line, "LOW_RATE") == [("00:10", "01:50")]
    [alert] = line.alerts("LOW_RATE")
    assert (alert.value, alert.threshold, alert.severity) == (90, 96, "warning")
    assert alert.message == "cadence 90 b/min (seuil 96)"


def test_a_low_rate_that_recovers_within_a_minute_is_no_alert():
    """The minute is counted from the start again."""
    line = Line.at("10:00").runs(seconds=50, rate=90).runs(seconds=2).runs(seconds=50, rate=90)
    assert alert_times(line, "LOW_RATE") == []


def test_a_stop_ends_a_low_rate():
    """A stopped line has no rate."""
    line = Line.at("10:00").runs(seconds=70, rate=90).stops(seconds=4)
    assert alert_times(line, "LOW_RATE") == [("00:00", "01:10")]


def test_a_high_temperature_is_told_after_ten_seconds_and_ends_below_its_deadband():
    """Above 30 °C; below 29 °C."""
    line = Line.at("10:00").runs(seconds=4, temperature=25).runs(seconds=12, temperature=31.24)
    assert alert_times(line, "HIGH_TEMPERATURE") == [("00:04", None)]
    assert line.alerts("HIGH_TEMPERATURE")[0].message == "température 31.2 °C (seuil 30.0)"
    line.runs(seconds=10, temperature=29.5).runs(seconds=4)
    assert alert_times(line, "HIGH_TEMPERATURE") == [("00:04", None)]
    line.runs(seconds=2, temperature=28.9)
    assert alert_times(line, "HIGH_TEMPERATURE") == [("00:04", "00:30")]


def test_defects_are_judged_over_the_latest_hundred_pieces():
    """Above 5 %; ends below 4 %."""
    line = Line.at("10:00").runs(seconds=48)  # 96 pieces: too few to judge
    line.data(count=3, defects=3)
    assert alert_times(line, "HIGH_DEFECT_RATE") == []
    line.data(count=4, defects=3)  # 6 of the latest 103
    [alert] = line.alerts("HIGH_DEFECT_RATE")
    assert (alert.severity, alert.threshold) == ("critical", 5)
    assert alert.value == pytest.approx(600 / 103)
    line.silent(seconds=2).runs(seconds=46)  # 92 good ones after them: 6 of the latest 101 still
    assert alert_times(line, "HIGH_DEFECT_RATE") == [("00:48", None)]
    line.runs(seconds=4)
    assert alert_times(line, "HIGH_DEFECT_RATE") == [("00:48", "01:36")]


def test_defects_found_in_a_message_without_pieces_belong_to_the_pieces_before():
    """They were rejected later, downstream."""
    line = Line.at("10:00").runs(seconds=52).data(count=0, defects=6)
    assert line.alerts("HIGH_DEFECT_RATE")[0].value == pytest.approx(6.0)


def test_a_stop_and_a_lost_signal_are_told_at_once():
    """MACHINE_STOP lasts as the stop does, NO_SIGNAL as the silence."""
    line = (
        Line.at("10:00")
        .runs(seconds=10)
        .stops(seconds=10)
        .runs(seconds=10)
        .silent(seconds=60)
        .runs(seconds=2)
    )
    assert alert_times(line, "MACHINE_STOP") == [("00:10", "00:20")]
    assert alert_times(line, "NO_SIGNAL") == [("00:58", "01:30")]


def test_a_clock_that_can_not_be_believed_is_told_and_its_pieces_count_all_the_same():
    """One that was never set, one a year ahead: the time of arrival is taken."""
    year = 365 * 86_400_000
    line = Line.at("10:00").data(timestamp=1).silent(seconds=2)
    line.data(timestamp=line.now + year).silent(seconds=2).data()
    assert [sample.timestamp[14:19] for sample in line.samples] == ["00:00", "00:02", "00:04"]
    assert line.orders[0].produced == 12
    assert not line.dead_letters
    line.runs(seconds=58)
    assert alert_times(line, "CLOCK_SKEW") == [("00:00", None)]  # it was wrong less than a minute ago
    line.silent(seconds=2).data()
    assert alert_times(line, "CLOCK_SKEW") == [("00:00", "01:04")]


def test_a_reported_rate_that_the_pieces_belie_is_told():
    """More than 20 % apart over 5 minutes of running."""
    line = Line.at("10:00").runs(minutes=5, seconds=4, rate=160)
    assert alert_times(line, "RATE_MISMATCH") == [("00:00", None)]
    assert line.alerts("RATE_MISMATCH")[0].severity == "info"
    line.runs(minutes=10, seconds=4)
    assert [bool(resolved) for _, resolved in alert_times(line, "RATE_MISMATCH")] == [True]


def test_each_line_and_type_has_at_most_one_open_alert():
    """However often the condition is met."""
    line = Line.at("10:00")
    for _ in range(5):
        line.runs(seconds=20, temperature=40).says(Kind.STATUS, running=False).stops(
            seconds=6, temperature=40
        )
    assert [row.status for row in line.alerts("HIGH_TEMPERATURE")] == ["open"]
    assert [row.status for row in line.alerts("MACHINE_STOP")] == ["resolved"] * 4 + ["open"]


def test_messages_are_in_the_plants_language():
    """French unless `plant.toml` says otherwise."""
    line = Line.at("10:00", '[plant]\nlanguage = "en"').runs(seconds=4).stops(seconds=2)
    assert line.alerts("MACHINE_STOP")[0].message == "machine stopped"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", get_args(AlertType))
def test_every_alert_has_its_severity_and_its_sentence(kind, language):
    """Also one that is added: without a sentence, the record that opens it would be a dead letter."""
    assert SEVERITY[kind] in get_args(Severity)
    assert sentence(language, f"alerts.{kind}", value=31.2, threshold=30.0)

"""Texts, numbers and times, as people in the plant read them."""

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import dashboard
from dashboard.timestamps import EARLIEST, LATEST
from dashboard.words import Words
from plant.catalogue import sentence

FR = Words("fr", "Europe/Paris")
EN = Words("en", "Europe/Paris")
NOON = datetime(2025, 7, 14, 10, 0, tzinfo=UTC)  # 12:00 in Paris


@pytest.mark.parametrize(
    ("value", "fr", "en"), [(5213.4, "5\u202f213", "5,213"), (0, "0", "0"), (None, "–", "–")]
)
def test_numbers(value: float | None, fr: str, en: str):
    """A narrow space or a comma, as the language has it."""
    assert (FR.number(value), EN.number(value)) == (fr, en)


@pytest.mark.parametrize(
    ("value", "shown"), [(82.36, "82,3"), (99.99, "99,9"), (100.0, "100,0"), (82.3, "82,3"), (None, "–")]
)
def test_percentages_are_floored(value: float | None, shown: str):
    """100 is shown only if it is all of it."""
    assert FR.percent(value) == shown


def test_times_are_the_plants():
    """A moment in UTC is shown by the plant's clock, with the day where it is another."""
    assert FR.clock(NOON.replace(hour=14, minute=5), NOON) == "16:05"
    assert FR.clock(NOON.replace(day=13), NOON) == "13/07 12:00"
    assert EN.clock(NOON.replace(day=13), NOON) == "Jul 13 12:00"
    assert FR.clock(NOON.replace(hour=23), NOON) == "15/07 01:00"
    assert FR.clock(None, NOON) == "–"
    assert FR.exactly(NOON) == "12:00:00"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
@pytest.mark.parametrize("moment", [LATEST, EARLIEST, datetime(9999, 12, 31, 23, tzinfo=UTC)])
def test_both_ends_of_the_calendar_are_shown(zone: str, moment: datetime):
    """Where a clock of the plant can't show a time, it is UTC's, with its year; nothing fails."""
    words = Words("fr", zone)
    assert words.clock(moment, NOON).endswith(f"/{moment.year}")
    assert len(words.exactly(moment)) == len("12:00:00")


def test_another_year_is_said():
    """Without the year, the date would be taken for one of this year."""
    assert FR.clock(NOON.replace(year=2027), NOON) == "14/07/2027"
    assert EN.clock(NOON.replace(year=2027), NOON) == "Jul 14, 2027"
    assert FR.clock(NOON + timedelta(days=200), NOON) == "30/01 11:00"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_shown_as_none(value: float):
    """Whatever a row holds, at most its own place on the page is affected."""
    assert (FR.number(value), FR.percent(value), FR.duration(value)) == ("–", "–", "–")
    assert FR.percent(1e308) == "–"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(7.9, "7 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (100_000, "1 j 3 h"), (-1, "0 s"), (None, "–")],
)
def test_durations(seconds: float | None, shown: str):
    """Two units at most."""
    assert FR.duration(seconds) == shown


def test_a_machines_own_reason_stands_as_it_is():
    """Codes of ours have words in both languages; what a machine says is not translated."""
    assert FR.code("reason", "pipeline") == "supervision interrompue"
    assert EN.code("reason", "pipeline") == "monitoring was down"
    assert EN.code("reason", "Bourrage {convoyeur}") == "Bourrage {convoyeur}"
    assert FR.code("reason", None) == "–"


def test_every_text_of_the_templates_is_in_the_catalogue():
    """No template asks for a text that is missing in either language."""
    asked = set()
    for template in (Path(dashboard.__file__).parent / "templates").glob("*.html"):
        asked |= set(re.findall(r'w\.t\(["\']([a-z_]+)["\'][,)]', template.read_text("utf-8")))
    assert len(asked) > 30
    facts = {"time": "", "count": 2, "rate": "", "target": ""}
    for name in asked:
        assert sentence("fr", f"page.{name}", **facts)
        assert sentence("en", f"page.{name}", **facts)

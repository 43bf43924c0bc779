"""Civil time: what the clocks of a zone show, also in the nights in which they change."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.civil_time import Zone
from schemas.instant import DAY, HOUR, MINUTE, ms_of

zones = st.sampled_from(sorted(available_timezones())).map(Zone)
days = st.dates(date(1975, 1, 1), date(2037, 12, 31)).map(date.toordinal)


def utc(text: str) -> int:
    return ms_of(datetime.fromisoformat(text + "+00:00"))


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_a_clock_time_that_is_skipped_is_the_moment_of_the_jump():
    """In Paris 02:00 became 03:00 on 2026-03-29."""
    #  clock  01:30   01:59│03:00   03:30
    #  UTC    00:30        │01:00   01:30
    paris, spring = Zone("Europe/Paris"), day("2026-03-29")
    assert paris.instant(spring, HOUR + 30 * MINUTE) == utc("2026-03-29T00:30")
    for minutes in (0, 1, 30, 59, 60):
        assert paris.instant(spring, 2 * HOUR + minutes * MINUTE) == utc("2026-03-29T01:00")
    assert paris.instant(spring, 3 * HOUR + 30 * MINUTE) == utc("2026-03-29T01:30")
    assert paris.jumps(paris.instant(spring), paris.instant(spring + 1)) == [utc("2026-03-29T01:00")]


def test_a_clock_time_that_comes_twice_is_the_first():
    """In Paris 03:00 became 02:00 on 2026-10-25."""
    #  clock  02:00   02:59│02:00   02:59  03:00
    #  UTC    00:00        │01:00          02:00
    paris, autumn = Zone("Europe/Paris"), day("2026-10-25")
    assert paris.instant(autumn, 2 * HOUR) == utc("2026-10-25T00:00")
    assert paris.instant(autumn, 2 * HOUR + 59 * MINUTE) == utc("2026-10-25T00:59")
    assert paris.instant(autumn, 3 * HOUR) == utc("2026-10-25T02:00")
    assert paris.jumps(paris.instant(autumn), paris.instant(autumn + 1)) == [utc("2026-10-25T01:00")]


@pytest.mark.parametrize(
    ("name", "text", "begins", "hours"),
    [
        ("Europe/Paris", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Paris", "2026-10-25", "2026-10-24T22:00", 25),
        ("Asia/Kathmandu", "2026-06-01", "2026-05-31T18:15", 24),
        ("Australia/Adelaide", "2026-04-05", "2026-04-04T13:30", 25),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),  # half an hour is set back
        ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00", 23),  # its midnight is skipped
        ("America/Havana", "2025-11-02", "2025-11-02T04:00", 25),  # its midnight comes twice
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", 25),  # 00:01 became yesterday's 23:01
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),  # the 30th was left out
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0),
    ],
)
def test_a_civil_day_reaches_from_its_first_midnight_to_the_next_days(name, text, begins, hours):
    """Wherever the plant is."""
    zone = Zone(name)
    start, end = zone.instant(day(text)), zone.instant(day(text) + 1)
    assert (start, end - start) == (utc(begins), hours * HOUR)
    assert {zone.day(at) for at in (*range(start, end, 10 * MINUTE), *[end - 1] * bool(hours))} <= {day(text)}
    assert zone.day(start - 1) < day(text)
    assert zone.day(end) > day(text)


@settings(deadline=None)
@given(zones, days, st.integers(0, 2 * DAY), st.integers(0, 2 * DAY))
def test_a_later_clock_time_is_never_earlier(zone, ordinal, one, other):
    """In every zone that there is: so what does not overlap on the clock does not overlap."""
    one, other = sorted((one, other))
    assert zone.instant(ordinal, one) <= zone.instant(ordinal, other)


@settings(deadline=None)
@given(st.sampled_from(sorted(available_timezones())), days, st.integers(0, 24 * 60 - 1))
def test_what_a_clock_shows_once_is_when_it_shows_it(name, ordinal, minute):
    """As the standard library says."""
    shown = datetime.fromordinal(ordinal) + timedelta(minutes=minute)
    early, late = (shown.replace(tzinfo=ZoneInfo(name), fold=fold).utcoffset() for fold in (0, 1))
    if early == late:
        at = Zone(name).instant(ordinal, minute * MINUTE)
        assert datetime.fromtimestamp(at / 1000, ZoneInfo(name)).replace(tzinfo=None) == shown

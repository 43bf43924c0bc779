"""The timeline of the last hour."""

from datetime import UTC, datetime, timedelta

from dashboard.models import Sample, StopRow, Tile
from dashboard.timeline import Part, timeline

NOW = datetime(2025, 1, 17, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)


def minute(n: float) -> datetime:
    return SINCE + timedelta(minutes=n)


def line(heard_since: datetime | None, last: datetime) -> Tile:
    sample = Sample(last, 115, 120, True, None, None)
    return Tile("ligne1", "Ligne 1", sample, None, None, None, 0, None, heard_since)


def stop(start: float, end: float | None, category: str = "unplanned") -> StopRow:
    return StopRow(minute(start), None if end is None else minute(end), None, category, None)


def test_a_line_that_ran_all_hour_with_one_stop():
    """Running throughout, with the stop at its time."""
    #  ────────────■■■───────────────
    parts = timeline(line(minute(0.1), NOW), [stop(15, 18)], SINCE, NOW)
    assert parts == [Part("running", 0.0, 100.0), Part("stopped", 25.0, 5.0)]


def test_nothing_is_known_before_the_first_message():
    """A line that was first heard twenty minutes ago is not green for an hour."""
    #  ····················──────────
    assert timeline(line(minute(40), NOW), [], SINCE, NOW) == [Part("running", 66.67, 33.33)]


def test_an_open_stop_and_one_that_began_before_the_hour():
    """Stops are cut at both ends of the timeline; each kind has its own look."""
    #  ■■■■───────────────────~~~~~~~
    parts = timeline(line(minute(0), NOW), [stop(-30, 6, "planned"), stop(54, None, "no_signal")], SINCE, NOW)
    assert parts[1:] == [Part("planned", 0.0, 10.0), Part("no_signal", 90.0, 10.0)]


def test_a_line_that_nobody_hears_any_more():
    """Green ends after the last message, even if no row says why."""
    #  ──────────────────············
    assert timeline(line(minute(0), minute(29)), [], SINCE, NOW) == [Part("running", 0.0, 50.0)]
    assert timeline(line(None, minute(-90)), [], SINCE, NOW) == []

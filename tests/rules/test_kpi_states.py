"""What a line's time is charged to: each moment has one state, and a stop's follows from all of the stop."""

from schemas.events import KpiEvent
from schemas.raw import Kind
from tests.rules.line import Line

MICRO = "[line]\nmicro_stop_s = 120\n"


def stopped(line: Line) -> list[tuple[float, float]]:
    """(micro, all stopped) seconds of each window."""
    return [(window.micro_seconds, window.stopped_seconds) for window in line.windows]


def counted(line: Line) -> tuple[int, int]:
    """(unplanned stops, micro-stops)."""
    return sum(window.stops for window in line.windows), sum(window.micro_stops for window in line.windows)


def test_a_short_stop_is_a_micro_stop_in_all_its_minutes():
    """It is not known before it ends: its minutes are corrected then."""
    #  10:00          :40         11:20
    #   ────────────────■■■■■■│■■■■────
    line = Line.at("10:00", MICRO).runs(seconds=40).stops(seconds=40)
    assert stopped(line) == [(0, 20), (0, 20)] or stopped(line)[0] == (0, 20)
    assert counted(line) == (1, 0)
    line.runs(seconds=40)
    assert stopped(line) == [(20, 20), (20, 20)]
    assert counted(line) == (0, 1)
    [stop] = line.stopped
    assert (stop.category, stop.duration) == ("micro", 40)


def test_a_stop_as_long_as_the_limit_is_none():
    """Two minutes are not shorter than two minutes."""
    line = Line.at("10:00", MICRO).runs(seconds=40).stops(seconds=120).runs(seconds=40)
    assert [micro for micro, _ in stopped(line)] == [0, 0, 0, 0]
    assert counted(line) == (1, 0)
    assert [stop.category for stop in line.stopped] == ["unplanned"]


def test_without_a_limit_there_are_no_micro_stops():
    """As the plain standard case has it."""
    line = Line.at("10:00").runs(seconds=40).stops(seconds=4).runs(seconds=40)
    assert counted(line) == (1, 0)


def test_a_stop_counts_where_it_begins():
    """One stop over three minutes is one stop."""
    line = Line.at("10:00").runs(seconds=40).stops(seconds=90).runs(seconds=10)
    assert [window.stops for window in line.windows] == [1, 0, 0]


def test_a_line_below_its_pace_is_slow():
    """80 % of the target is not below 80 %."""
    line = Line.at("10:00").runs(seconds=20).runs(seconds=20, rate=96).runs(seconds=30, rate=95.9)
    first = line.windows[0]
    assert (first.running_seconds, first.slow_seconds) == (60, 20)


def test_the_share_that_is_slow_is_the_plants_to_say():
    """Per line, as every rule."""
    line = Line.at("10:00", "[line]\nslow_rate = 0.9").runs(seconds=20).runs(seconds=50, rate=100)
    assert line.windows[0].slow_seconds == 40


def test_micro_stops_leave_trs_as_it_is():
    """They move a loss from availability to performance: the product is the same."""

    def window(plant: str) -> KpiEvent:
        return Line.at("10:00", plant).runs(seconds=30).stops(seconds=10).runs(seconds=30).windows[0]

    micro, plain = window(MICRO), window("")
    assert (micro.trs, micro.availability) == (plain.trs, plain.availability)
    assert micro.do is not None
    assert plain.do is not None
    assert micro.do > plain.do


def test_silence_in_a_stop_is_the_stop():
    """The line reported a stop: nothing else is known, and the stop goes on."""
    line = Line.at("10:00").runs(seconds=30).says(Kind.STATUS, bare=b"stopped").silent(minutes=2)
    assert [window.stopped_seconds for window in line.windows][:2] == [30, 60]
    assert sum(window.no_signal_seconds for window in line.windows) == 0

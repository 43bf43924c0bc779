"""KPI windows: what time is charged to, where windows are cut, and their figures."""

import pytest

from schemas.events import KpiEvent
from schemas.raw import Kind
from tests.rules.line import Line, at


def seconds(window: KpiEvent) -> tuple[float, float, float, float]:
    """(running, stopped, no signal, before the first message)."""
    return (window.running_seconds, window.stopped_seconds, window.no_signal_seconds, window.unknown_seconds)


def hours(line: Line) -> list[tuple[str, str]]:
    return [(window.window_start[11:19], window.window_end[11:19]) for window in line.windows]


def test_a_window_is_a_minute_and_its_time_goes_to_what_the_line_was():
    """Time before the first message is charged as unknown."""
    #  10:00     :20         :50    11:00
    #   unknown   ───────────■■■■■■│─────
    line = Line.at("10:00:20").runs(seconds=30).stops(seconds=20).runs(seconds=4)
    first, second = line.windows
    assert seconds(first) == (30, 10, 0, 20)
    assert seconds(second) == (2, 10, 0, 0)
    assert hours(line) == [("09:00:00", "09:01:00"), ("09:01:00", "09:02:00")]


def test_the_figures_of_a_minute():
    """45 s of 60 running at 100 of 120, 90 pieces of which 9 are bad."""
    line = Line.at("10:00")
    for _ in range(0, 45, 5):
        line.data(count=10, defects=1, rate=100).silent(seconds=5)
    line.stops(seconds=20)
    window = line.windows[0]
    assert (window.pieces, window.defects) == (90, 9)
    assert (window.availability, window.quality) == (75.0, 90.0)
    assert window.performance == pytest.approx(100 / 120 * 100, abs=1e-4)
    assert window.trs == window.oee == pytest.approx(75 * 0.9 * 100 / 120, abs=1e-4)
    assert window.theoretical_output == pytest.approx(90)
    assert window.reported_output == pytest.approx(75)


def test_performance_from_pieces_is_the_standards():
    """Pieces divided by the integral of the target rate."""
    line = Line.at("10:00", '[line]\nperformance_from = "pieces"')
    for _ in range(13):
        line.data(count=8, rate=0).silent(seconds=5)
    assert line.windows[0].performance == pytest.approx(12 * 8 / 120 * 100)


def test_windows_are_cut_where_the_shift_changes():
    """13:59 is MATIN, 14:00 is not, even in windows of an hour."""
    line = Line.at("13:30", "[line]\nwindow_s = 3600\nsilence_s = 3600")
    line.every = 60
    line.runs(minutes=60)
    assert [(w.shift_id, w.window_start[11:16], w.window_end[11:16]) for w in line.windows] == [
        ("MATIN", "12:00", "13:00"),
        ("APRES_MIDI", "13:00", "14:00"),
    ]


def test_windows_are_cut_where_the_order_changes_and_pieces_stay_with_their_order():
    """The message that starts an order reports pieces made before it: their time belongs to the order."""
    #  10:00  :02  :04(full)   :06(starts)
    #  ├── order 1 ──┤── order 2 ────────
    line = Line.at("10:00", "[line.order]\nquantity = 12")
    for _ in range(4):
        line.data(count=4).silent(seconds=2)
    line.silent(seconds=2).data(count=4)
    one, two, *_ = line.windows
    first, second = line.orders[:2]
    assert [w.order_number for w in (one, two)] == [first.order_number, second.order_number]
    assert hours(line)[:2] == [("09:00:00", "09:00:04"), ("09:00:04", "09:01:00")]
    assert [w.pieces for w in (one, two)] == [12, 8]
    assert [w.product_type for w in (one, two)] == ["Bouteille Standard 1L"] * 2


def test_the_time_between_two_orders_belongs_to_none():
    """A line that stands still once its order is full has no order until pieces come."""
    #  10:00      :04(full, stops)         10:10(starts)
    #  ├── order 1 ──┤■■■■■■■■■■ none ■■■■■├── order 2
    line = Line.at("10:00", "[line.order]\nquantity = 12")
    for _ in range(3):
        line.data(count=4).silent(seconds=2)
    line.says(Kind.STATUS, bare=b"stopped").silent(minutes=10).runs(minutes=1, count=0)
    stopped = {w.order_number for w in line.windows if w.stopped_seconds == 60}
    assert stopped == {None}
    assert line.windows[-1].order_number == line.orders[-1].order_number


def test_a_running_line_that_falls_silent_is_charged_as_running_for_half_a_minute():
    """Then it has no signal, and a stop stays a stop."""
    line = Line.at("10:00").runs(seconds=2).silent(minutes=3)
    assert [seconds(w) for w in line.windows] == [(30, 0, 30, 0), (0, 0, 60, 0), (0, 0, 60, 0)]
    line = Line.at("10:00").stops(seconds=2).silent(minutes=3)
    assert [seconds(w) for w in line.windows] == [(0, 60, 0, 0), (0, 60, 0, 0), (0, 60, 0, 0)]


def test_the_seconds_of_the_windows_add_up_to_the_time_that_passed():
    """Whatever the line did."""
    line = Line.at("13:58:30").runs(seconds=95).stops(seconds=41).silent(minutes=2).runs(seconds=7)
    line.says(Kind.STATUS, bare=b"offline").silent(minutes=7).stops(seconds=33)
    line.data()
    total = sum(sum(seconds(w)) for w in line.windows)
    assert total == (line.now - at("13:58:00")) / 1000


def test_a_late_message_counts_in_the_window_that_it_belongs_to():
    """The closed window is revised."""
    line = Line.at("10:00").runs(minutes=3)
    before = [w.pieces for w in line.windows]
    line.data(count=7, timestamp=at("10:01:30"))
    assert [w.pieces for w in line.windows] == [before[0], before[1] + 7, before[2]]


def test_a_message_too_late_for_any_window_remembered_opens_one_beside_it():
    """Sums over windows stay right."""
    line = Line.at("10:00").runs(minutes=40)
    pieces = sum(w.pieces for w in line.windows)
    line.data(count=5, timestamp=at("10:03:30")).data(count=6, timestamp=at("10:03:40"))
    beside = [w for w in line.windows if sum(seconds(w)) == 0]
    assert [(w.window_start[11:19], w.pieces) for w in beside] == [("09:03:00", 11)]
    assert sum(w.pieces for w in line.windows) == pieces + 11


def test_a_log_that_begins_anew_in_a_window_takes_nothing_from_what_the_lost_one_told():
    """Its first window has a row beside the one that is in PostgreSQL already; the next ones are as usual."""
    #  10:00     :30 (log lost)  10:01
    #  ├─ lost log ┤
    #  ┊          ├── beside ─────┤──────
    lost, anew = Line.at("09:59").runs(minutes=1, seconds=30), Line.at("10:00:30").runs(minutes=1)
    lost_ids = {window.window_start: window.id for window in lost.runs(minutes=1).windows}
    first, second = anew.windows[:2]
    assert first.window_start in lost_ids
    assert first.id not in lost_ids.values()
    assert second.id == lost_ids[second.window_start]


def test_an_open_window_is_refreshed_at_most_once_a_second():
    """A flood of messages does not make a flood of rows."""
    line = Line.at("10:00").data()
    published = len([event for event in line.events if isinstance(event, KpiEvent)])
    for _ in range(100):
        line.now += 5
        line.data()
    assert len([event for event in line.events if isinstance(event, KpiEvent)]) == published
    line.silent(seconds=5)
    assert line.windows[0].pieces == 404


def test_time_without_a_target_flatters_no_one():
    """Its output is in neither of the sums that performance compares."""
    line = Line.at("10:00").runs(seconds=30, targetRate=0).runs(seconds=30).data()
    [first, *_] = line.windows
    assert (first.theoretical_output, first.reported_output) == (pytest.approx(60), pytest.approx(60))
    assert first.performance == 100

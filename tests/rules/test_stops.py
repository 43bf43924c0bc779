"""Stops and silence."""

import pytest

from schemas.instant import SECOND
from schemas.raw import Kind
from tests.rules.line import Line, at


def spans(line: Line) -> list[tuple[str, str, str | None, float | None]]:
    return [
        (row.category, row.start_time[11:19], row.end_time and row.end_time[11:19], row.duration)
        for row in line.stopped
    ]


def test_a_stop_lasts_from_the_first_message_not_running_to_the_first_running():
    """One row, open while it lasts, then with its duration in seconds."""
    #  10:00     10:02      10:05
    #    ─────────■■■■■■■■■■───
    line = Line.at("10:00").runs(minutes=2).stops(minutes=3)
    assert spans(line) == [("unplanned", "09:02:00", None, None)]
    line.runs(minutes=1)
    assert spans(line) == [("unplanned", "09:02:00", "09:05:00", 180.0)]


def test_a_stop_belongs_to_the_shift_and_the_order_of_its_start():
    """13:58 is MATIN."""
    line = Line.at("13:50").runs(minutes=8).stops(minutes=9).runs(seconds=2)
    [stop] = line.stopped
    assert (stop.shift_id, stop.order_number) == ("MATIN", line.orders[0].order_number)


def test_a_status_message_stops_and_starts_a_line_and_tells_the_reason():
    """Also without a data message."""
    line = (
        Line.at("10:00")
        .runs(seconds=10)
        .says(Kind.STATUS, running=False, reason="bourrage")
        .silent(seconds=20)
    )
    line.says(Kind.STATUS, bare=b"running")
    assert spans(line) == [("unplanned", "09:00:10", "09:00:30", 20.0)]
    assert line.stopped[0].reason == "bourrage"


def test_a_reason_told_later_is_written_into_the_open_stop():
    """The first reason is kept."""
    line = Line.at("10:00").runs(seconds=10).stops(seconds=4).says(Kind.STATUS, status="stopped", reason="a")
    line.says(Kind.STATUS, status="stopped", reason="b")
    assert [stop.reason for stop in line.stopped] == ["a"]


def test_a_reason_that_comes_behind_the_data_is_written_into_the_open_stop():
    """MQTT keeps order within a topic only."""
    line = Line.at("10:00").runs(seconds=10).stops(seconds=6)
    line.says(Kind.STATUS, running=False, reason="bourrage", timestamp=at("10:00:09"))
    assert [stop.reason for stop in line.stopped] == ["bourrage"]
    line.runs(seconds=60).stops(seconds=6)
    line.says(Kind.STATUS, running=False, reason="old", timestamp=at("10:00:09"))
    assert [stop.reason for stop in line.stopped] == ["bourrage", None]


def test_a_reason_that_comes_behind_all_of_its_stop_is_written_into_it():
    """The earliest stop that it can mean gets it, if it has no reason yet; a later stop has its own."""
    #  10:00   :10    :20    :30    :40    :50   11:00
    #    ───────■■■■■■───────■■■■■■■──────■■■■■■■
    #           a            b            c, all sent at the end
    line = Line.at("10:00").runs(seconds=10)
    for _ in range(2):
        line.stops(seconds=10).runs(seconds=10)
    line.stops(seconds=10)
    statuses = [
        ("09:59:00", "too old"),
        ("10:00:49", "c"),
        ("10:00:09", "a"),
        ("10:00:33", "b"),
        ("10:00:11", "again"),
    ]
    for when, reason in statuses:
        line.says(Kind.STATUS, running=False, reason=reason, timestamp=at(when))
    line.says(Kind.STATUS, running=True, reason="running", timestamp=at("10:00:09"))
    assert [stop.reason for stop in line.stopped] == ["a", "b", "c"]
    assert [stop.duration for stop in line.stopped] == [10, 10, None]


def test_a_late_reason_is_none_of_a_lost_signal():
    """It belongs to the stop that the line reported once it had a signal again."""
    #  10:00   :10       :38     11:10
    #    ───────         ░░░░░░░░░■■■■■
    line = Line.at("10:00").runs(seconds=10).silent(seconds=60).stops(seconds=10)
    line.says(Kind.STATUS, running=False, reason="bourrage", timestamp=at("10:01:09"))
    assert [(stop.category, stop.reason) for stop in line.stopped] == [
        ("no_signal", None),
        ("unplanned", "bourrage"),
    ]


def test_a_reason_of_a_time_long_before_the_stop_is_none_of_it():
    """The line ran at that time, whatever its machine says now."""
    line = Line.at("10:00").runs(minutes=2).stops(seconds=10)
    line.says(Kind.STATUS, running=False, reason="old", timestamp=at("10:01:15"))
    assert [stop.reason for stop in line.stopped] == [None]


def test_a_late_word_of_a_machine_that_runs_is_no_reason():
    """Nor is its gateway's."""
    line = Line.at("10:00").runs(seconds=10).stops(seconds=6)
    line.says(Kind.STATUS, running=True, reason="reprise", timestamp=at("10:00:09"))
    line.says(Kind.STATUS, status="offline", reason="réseau", timestamp=at("10:00:09"))
    assert [stop.reason for stop in line.stopped] == [None]


def test_silence_opens_no_signal_thirty_seconds_after_the_last_message():
    """From running only; it ends with the next message."""
    #  10:00   :10        :40       11:10
    #    ───────          ░░░░░░░░░░───
    line = Line.at("10:00").runs(seconds=10).silent(seconds=60)
    assert spans(line) == [("no_signal", "09:00:38", None, None)]
    line.runs(seconds=2)
    assert spans(line) == [("no_signal", "09:00:38", "09:01:10", 32.0)]


def test_silence_in_a_stop_leaves_the_stop_open():
    """A machine that is switched off during a stop is still stopped."""
    line = Line.at("10:00").runs(seconds=10).stops(seconds=10).silent(minutes=10)
    line.says(Kind.STATUS, bare=b'"offline"').silent(minutes=10)
    assert spans(line) == [("unplanned", "09:00:10", None, None)]


def test_offline_is_no_signal_and_online_changes_nothing():
    """Not a stop."""
    line = Line.at("10:00").runs(seconds=10).says(Kind.STATUS, status="offline").silent(seconds=10)
    line.says(Kind.STATUS, status="online")
    assert spans(line) == [("no_signal", "09:00:10", None, None)]
    assert line.stopped[0].reason == "offline"
    line.runs(seconds=2)
    assert spans(line) == [("no_signal", "09:00:10", "09:00:20", 10.0)]


def test_stops_of_a_silent_line_that_comes_back_stopped_do_not_overlap():
    """The silence ends where the stop begins."""
    line = Line.at("10:00").runs(seconds=10).silent(seconds=60).stops(seconds=4)
    assert spans(line) == [("no_signal", "09:00:38", "09:01:10", 32.0), ("unplanned", "09:01:10", None, None)]


def test_while_nobody_listens_the_reason_is_the_pipeline():
    """No ticks and no messages: the bridge was down, and the line may have run."""
    line = Line.at("10:00").runs(seconds=10).bridge_down(minutes=5).runs(seconds=2)
    assert spans(line) == [("no_signal", "09:00:38", "09:05:10", 272.0)]
    assert line.stopped[0].reason == "pipeline"


def test_a_backlog_with_timestamps_is_not_silence():
    """Messages from while the bridge was down come in a burst, and are believed."""
    line = Line.at("10:00").runs(seconds=10).bridge_down(minutes=5)
    for second in range(10, 300, 2):
        line.data(timestamp=at("10:00") + second * 1000)
    assert spans(line) == []


def test_a_gateway_that_was_offline_sends_its_past_and_its_stops_do_not_overlap_the_silence():
    """The silence is replaced by what the machine reports."""
    line = Line.at("10:00").runs(seconds=10).silent(seconds=120)
    for second in range(10, 120, 2):
        running = not 60 <= second < 90
        line.data(count=4 * running, running=running, timestamp=at("10:00") + second * 1000)
    assert spans(line) == [
        ("no_signal", "09:00:10", "09:00:10", 0.0),
        ("unplanned", "09:01:00", "09:01:30", 30.0),
    ]


def test_a_message_behind_the_clock_never_stops_the_line():
    """It is late: its pieces count, and the state does not change."""
    line = Line.at("10:00").runs(seconds=10)
    line.data(count=0, running=False, timestamp=line.now - 5000)
    line.says(Kind.STATUS, status="stopped", timestamp=line.now - 5000)
    assert spans(line) == []


def test_without_running_a_line_runs_if_it_counts_and_else_keeps_its_state():
    """For machines that send only counts."""
    line = Line.at("10:00").says(count=4).silent(seconds=2).says(count=0)
    assert [sample.is_running for sample in line.samples] == [True, True]
    line.says(Kind.STATUS, bare=b"stopped").says(count=0)
    assert [sample.is_running for sample in line.samples] == [True, True, False]


def test_a_retained_status_counts_only_for_a_line_never_heard():
    """Later ones repeat what the broker stored."""
    line = Line.at("10:00").says(Kind.STATUS, bare=b"stopped", retain=True)
    assert line.state.mode == "stopped"
    line.runs(seconds=2).says(Kind.STATUS, bare=b"stopped", retain=True).says(count=3, retain=True)
    assert line.state.mode == "running"
    assert [letter.reason for letter in line.dead_letters] == ["retained", "retained"]


@pytest.mark.parametrize("ahead", [3, 59, 3600])
def test_a_bare_stop_of_a_machine_whose_clock_is_ahead_is_a_stop(ahead):
    """Its data have timestamps ahead of their arrival; the status without a timestamp comes after them."""
    #  comes    10:00 data ... 10:01:58 data   10:02 stopped   10:05 data
    #  dated    ahead          ahead           -               ahead
    line = Line.at("10:00")
    for _ in range(60):
        line.data(timestamp=line.now + ahead * SECOND).silent(seconds=2)
    line.says(Kind.STATUS, bare=b"stopped").silent(minutes=3)
    line.data(timestamp=line.now + ahead * SECOND)
    [stop] = line.stopped
    assert (stop.category, line.state.mode) == ("unplanned", "running")
    assert stop.duration is not None
    assert 180 <= stop.duration <= 182

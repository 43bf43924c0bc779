"""What ends a stop that a status began: a message, or continued pieces; not the last pieces that leave."""

from typing import Any

import pytest

from schemas.raw import Kind
from schemas.state import encode
from tests.rules.line import Line, at
from tests.rules.test_stops import spans

BY_PIECES = '[line]\nperformance_from = "pieces"\n'
SUMS = (
    "window_start", "order_number", "running_seconds", "slow_seconds", "stopped_seconds", "planned_seconds",
    "no_signal_seconds", "pieces", "timed_pieces", "defects", "stops",
    "theoretical_output", "reported_output",
)  # fmt: skip


def sums(line: Line) -> list[tuple[object, ...]]:
    """The sums of the windows, rounded to a billionth."""
    return [
        tuple(round(v, 9) if isinstance(v, float) else v for v in (getattr(w, name) for name in SUMS))
        for w in line.windows
    ]


def counts(line: Line, count: int, seconds: float, every: float = 5, **fields: Any) -> Line:
    """Count pieces without saying whether the line runs, from now until just before the end."""
    end = line.now + round(seconds * 1000)
    while line.now < end:
        line.says(**{"count": count, "targetRate": 120, "rate": 120, "timestamp": line.now, **fields})
        line.silent(seconds=every)
    return line


def stopped(line: Line) -> Line:
    return line.says(Kind.STATUS, status="stopped", timestamp=line.now)


def runs(line: Line) -> Line:
    return line.says(Kind.STATUS, status="running", timestamp=line.now)


def jam(plant: str = BY_PIECES) -> Line:
    """Count 10 every 5 s for 100 s, and stop at 10:01:43, by a status."""
    line = counts(Line.at("10:00", plant), 10, 100).says(count=10, targetRate=120, rate=120)
    return stopped(line.silent(seconds=3))


def test_the_last_pieces_do_not_end_a_stop_that_a_status_told():
    """A stop of 300 s remains one of 300 s, and the pieces belong to the time before it."""
    #  10:00              10:01:43  :50                 10:06:43
    #    10 10 10 ... 10     ■■■■■■ 3 ■■■ 0 0 0 0 ■■■■■■   10 10
    line = jam().silent(seconds=7)
    line.says(count=3, targetRate=120, rate=0, timestamp=line.now).silent(seconds=5)
    counts(line, 0, 285, rate=0).silent(seconds=3)
    assert line.now == at("10:06:43")
    counts(runs(line), 10, 60)
    assert spans(line) == [("unplanned", "09:01:43", "09:06:43", 300.0)]
    assert sum(w.stopped_seconds for w in line.windows) == 300
    assert line.windows[1].pieces == line.windows[1].timed_pieces == 10 * 8 + 3
    assert [window.pieces for window in line.windows[2:6]] == [0] * 4
    assert sum(window.stops for window in line.windows) == 1


def test_pieces_that_leave_in_a_later_minute_are_of_the_minute_in_which_the_line_stopped():
    """Twice, with a message without pieces before and between."""
    #  10:01:43    :45  :50  :55   10:02:05
    #    ■■■■■■■■■  0    3    0      2   ■■■■
    line = jam()
    for second, count in ((45, 0), (50, 3), (55, 0), (65, 2), (70, 0)):
        line.silent(seconds=(at("10:01") + second * 1000 - line.now) / 1000)
        line.says(count=count, targetRate=120, rate=0, timestamp=line.now)
    line.silent(minutes=1)
    assert [window.pieces for window in line.windows[:3]] == [10 * 13, 10 * 8 + 5, 0]
    assert len(line.stopped) == 1
    assert line.stopped[0].end_time is None


@pytest.mark.parametrize("every", [1, 5, 20])
@pytest.mark.parametrize("plant", [BY_PIECES, "", "[line]\nmicro_stop_s = 300\n"])
def test_pieces_that_go_on_for_a_minute_are_a_restart_with_their_first(every, plant):
    """The rows are those of a line that had sent `running`: that message was lost."""
    #  10:01:43               10:04:43                10:05:43
    #    ■■■■■ 0 0 0 ■■■■■■■■■■■ 10 10 10 10 10 10 10 10   (now it is known)
    lines = []
    for says_so in (True, False):
        line = counts(jam(plant), 0, 180, every, rate=0)
        if says_so:
            runs(line)
        counts(line, 2 * every, 140, every, defects=1, rate=90)
        assert line.state.mode == "running"
        lines.append(line)
    word, none = lines
    assert spans(none) == spans(word)
    assert spans(none)[0][1:] == ("09:01:43", "09:04:43", 180.0)
    assert sums(none) == sums(word)
    assert [order.produced for order in none.orders] == [order.produced for order in word.orders]
    [alert] = none.alerts("MACHINE_STOP")
    assert (alert.status, alert.resolved_at) == ("resolved", "2026-01-15T09:04:43.000Z")


def test_until_the_minute_is_over_the_line_stands():
    """Nothing else is known; then the stop ends where the counting began."""
    line = counts(counts(jam(), 0, 180, rate=0), 10, 60)
    assert (line.state.mode, line.stopped[0].end_time) == ("stopped", None)
    line.says(count=10, timestamp=line.now)
    assert spans(line) == [("unplanned", "09:01:43", "09:04:43", 180.0)]


def test_a_message_without_pieces_ends_the_counting():
    """50 s of pieces, a pause, 50 s more: still the same stop."""
    line = counts(jam(), 0, 30, rate=0)
    for _ in range(2):
        counts(counts(line, 10, 50), 0, 5, rate=0)
    assert line.state.mode == "stopped"
    counts(line, 10, 65)
    assert line.state.mode == "running"
    assert line.stopped[0].end_time == "2026-01-15T09:04:03.000Z"


def test_a_silence_ends_the_counting():
    """Pieces before it do not count for a restart after it."""
    line = counts(counts(jam(), 0, 30, rate=0), 10, 50).silent(seconds=31)
    counts(line, 10, 50)
    assert line.state.mode == "stopped"


def test_a_slow_machine_has_messages_without_pieces_between_its_pieces():
    """3 a minute, a message every 5 s: three of four have no pieces. It runs again."""
    line = Line.at("10:00")
    counts(stopped(counts(line, 1, 60, every=20, targetRate=3, rate=3)), 0, 120, targetRate=3, rate=0)
    for n in range(13):
        line.says(count=int(n % 4 == 0), targetRate=3, rate=3, timestamp=line.now).silent(seconds=5)
    assert spans(line) == [("unplanned", "09:01:00", "09:03:00", 120.0)]


def test_the_machines_own_word_in_its_data_ends_the_stop_at_once():
    """`running: true`, with pieces or without."""
    line = jam().silent(seconds=10).data(count=0)
    assert spans(line) == [("unplanned", "09:01:43", "09:01:53", 10.0)]


def test_a_stop_that_only_data_told_ends_with_the_next_piece():
    """This is not about machines without statuses."""
    line = Line.at("10:00").runs(seconds=60).stops(seconds=20)
    line.says(count=3, targetRate=120, timestamp=line.now)
    assert spans(line) == [("unplanned", "09:01:00", "09:01:20", 20.0)]


def test_a_word_that_comes_behind_the_data_ends_the_stop_with_the_first_pieces_since():
    """MQTT keeps order within a topic only."""
    #  10:01:43          10:02:13    :14      sent at :18, of :12
    #    ■■■■■■■■■■■■■■■■   10   ...          running
    line = counts(jam(), 0, 30, rate=0)
    word = line.now - 1000
    counts(line, 10, 5)
    line.says(Kind.STATUS, status="running", timestamp=word)
    assert spans(line) == [("unplanned", "09:01:43", "09:02:13", 30.0)]
    line = counts(jam(), 0, 30, rate=0)
    line.says(Kind.STATUS, status="running", timestamp=at("10:01:40"))  # of before the stop
    assert line.state.mode == "stopped"
    line.says(Kind.STATUS, status="running", timestamp=line.now - 8000)
    assert spans(line) == [("unplanned", "09:01:43", "09:02:08", 25.0)]  # the line's latest moment


def test_stopped_said_again_is_a_stop_that_goes_on():
    """Pieces counted before it do not count for a restart."""
    line = counts(counts(jam(), 0, 30, rate=0), 10, 50)
    counts(stopped(line), 10, 30)
    assert line.state.mode == "stopped"


def test_an_order_that_fills_up_while_nobody_knows_keeps_its_pieces():
    """Every order has the same pieces in its windows and in its row, and time is counted once."""
    line = counts(counts(jam(BY_PIECES + "[line.order]\nquantity = 255\n"), 0, 120, rate=0), 10, 130)
    line.silent(seconds=1)
    by_order = {order.order_number: order.produced for order in line.orders}
    assert list(by_order.values()) == [260, 210]
    made: dict[str | None, int] = dict.fromkeys(by_order, 0)
    for window in line.windows:
        made[window.order_number] += window.pieces
    assert made == by_order
    assert spans(line) == [("unplanned", "09:01:43", "09:03:43", 120.0)]
    assert sum(w.stopped_seconds for w in line.windows) == 120


def test_a_long_stop_whose_windows_are_forgotten_loses_no_piece_and_no_time():
    """Pieces of the 40 minutes after it count at the time of their messages."""
    line = counts(jam("[line]\nperformance_from = 'pieces'\nwindow_s = 10\n"), 0, 2400, every=20, rate=0)
    counts(line, 3, 5)
    counts(line, 0, 60, every=20, rate=0)
    counts(line, 10, 70)
    assert line.state.mode == "running"
    assert sum(w.pieces for w in line.windows) == sum(order.produced for order in line.orders)
    assert sum(w.stopped_seconds for w in line.windows) == line.stopped[0].duration == 2465


def test_a_machine_that_speaks_ten_times_a_second_is_remembered_in_few_words():
    """And its restart is determined as exactly."""
    lines = []
    for says_so in (True, False):
        line = counts(jam(), 0, 20, rate=0)
        if says_so:
            runs(line)
        for n in range(590):
            rate = 100 if n % 7 else 120
            line.says(count=int(n % 5 != 4), targetRate=120, rate=rate, timestamp=line.now).silent(
                seconds=0.1
            )
        if not says_so:
            assert line.state.mode == "stopped"
            assert len(encode(line.state)) < 16 * 1024
        lines.append(counts(line, 2, 5, every=1))
    word, none = lines
    assert none.state.mode == "running"
    assert [row[:-2] for row in sums(none)] == [row[:-2] for row in sums(word)]
    assert [row[-2] for row in sums(none)] == pytest.approx([row[-2] for row in sums(word)])


def test_without_trailing_s_any_piece_ends_the_stop():
    """A plant may want it so."""
    line = jam("[line]\ntrailing_s = 0\n").silent(seconds=7)
    line.says(count=3, targetRate=120, timestamp=line.now)
    assert spans(line) == [("unplanned", "09:01:43", "09:01:50", 7.0)]

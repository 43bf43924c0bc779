"""Silence is shown as it passes, and its windows are published again if the line reports otherwise."""

from schemas.instant import MINUTE, SECOND
from schemas.raw import Kind
from tests.rules.line import Line, at


def states(line: Line) -> list[tuple[str, float, float, float]]:
    """(start, running, stopped, no signal) of each window."""
    return [
        (w.window_start[11:16], w.running_seconds, w.stopped_seconds, w.no_signal_seconds)
        for w in line.windows
    ]


def test_a_past_that_comes_in_part_leaves_the_rest_silent():
    """Half an hour is shown without signal, then a line with statuses only reports ten minutes of it."""
    #  10:00     10:30             sends 10:00-10:10: running   11:10
    #  ─ (no network, shown as no signal) ─│──────────│30 s│ no signal
    line = Line.at("10:00").data().silent(minutes=30)
    for half_minute in range(1, 21):
        line.says(Kind.STATUS, running=True, timestamp=at("10:00") + half_minute * MINUTE // 2)
    line.silent(minutes=40)
    windows = states(line)
    assert {row[1:] for row in windows[:10]} == {(60, 0, 0)}
    assert windows[10] == ("09:10", 30, 0, 30)
    assert {row[1:] for row in windows[11:40]} == {(0, 0, 60)}


def test_the_next_orders_pieces_are_its_own_in_the_minute_before_too():
    """Its first message brings what was made since the last one, over two minutes."""
    #  10:00:40 (full)  10:01:00     10:01:05 (starts)
    #  ── order 1 ──────│─ order 2: 25 s ────
    line = Line.at("10:00:40", "[line.order]\nquantity = 10").data(count=10)
    line.silent(seconds=25).data(count=5)
    second = line.orders[1].order_number
    assert [(w.order_number, w.pieces) for w in line.windows if w.order_number == second] == [
        (second, 4),
        (second, 1),
    ]


def test_a_line_that_says_that_it_goes_offline_runs_no_longer_than_that():
    """Not for all of `silence_s`."""
    line = Line.at("10:00").data().silent(seconds=5).says(Kind.STATUS, bare=b"offline")
    line.silent(minutes=2).data()
    assert states(line)[0] == ("09:00", 5, 0, 55)


def test_a_window_is_whole_by_the_local_clock():
    """In Kathmandu (5:45 ahead) hours begin at a quarter past UTC's."""
    plant = """
    [plant]
    time_zone = "Asia/Kathmandu"
    [line]
    window_s = 3600
    silence_s = 3600
    [line.order]
    quantity = 1000000
    """
    line = Line.at("10:00", plant)
    line.every = 600
    line.runs(minutes=150)
    assert {(w.window_start[14:16], w.hour[14:16]) for w in line.windows} == {("15", "15")}


def test_the_past_is_held_against_the_rules_of_its_time():
    """A gateway sends messages of ten o'clock at noon; the rules changed at eleven."""
    plant = """
    [line]
    slow_rate = 0.5
    [[change]]
    from = 2026-01-15T11:00:00
    slow_rate = 1.0
    """
    line = Line.at("10:00", plant).data(rate=100).silent(minutes=120)
    for second in range(10, 130, 10):
        line.data(rate=100, timestamp=at("10:00") + second * SECOND)
    assert sum(window.slow_seconds for window in line.windows) == 0


def test_a_late_piece_in_a_silent_minute_takes_nothing_of_what_is_shown():
    """The minute keeps its time without signal, and gains the piece."""
    line = Line.at("10:00:50").data().silent(seconds=50)
    line.data(count=7, timestamp=at("10:00:45")).silent(minutes=3)
    first = line.windows[0]
    assert (first.pieces, first.running_seconds, first.no_signal_seconds) == (11, 10, 0)
    assert states(line)[1] == ("09:01", 20, 0, 40)


def test_a_correction_stays_within_its_day_its_shift_and_its_hour():
    """A stop of three hours over midnight is declared planned when its windows are no longer remembered."""
    line = Line.at("21:30", "[line.order]\nquantity = 1000000").runs(minutes=1).stops(minutes=180)
    line.runs(minutes=60).says(Kind.STATUS, action="reason", planned=True, at=at("23:00"))
    corrections = [w for w in line.windows if w.reason == "correction"]
    assert sum(w.planned_seconds for w in corrections) == -sum(w.stopped_seconds for w in corrections)
    assert sum(w.planned_seconds for w in line.windows) == 3 * 3600
    assert sum(w.stopped_seconds for w in line.windows) == 0
    found = [(w.day, w.shift_id, w.planned_seconds / 60) for w in corrections]
    assert found == [
        ("2026-01-15", "APRES_MIDI", 29),
        ("2026-01-15", "NUIT", 60),
        ("2026-01-15", "NUIT", 60),
        ("2026-01-16", "NUIT", 31),
    ]

"""The plant's calendar in the windows: breaks, closed hours, midnight, and the two nights of the clock."""

from collections import Counter

from schemas.raw import Kind
from tests.rules.line import Line

BREAK = """
[[planned]]
name = "Pause"
days = ["mon", "tue", "wed", "thu", "fri"]
start = 12:00:00
end = 12:20:00
"""
OPEN = """
[[opening]]
days = ["mon", "tue", "wed", "thu", "fri"]
start = 06:00:00
end = 22:00:00
"""


def minutes(line: Line, state: str) -> float:
    return sum(getattr(window, f"{state}_seconds") for window in line.windows) / 60


def test_a_break_is_planned_and_a_stop_that_outlasts_it_is_not():
    """20 minutes of break, 5 of a stop that should be over."""
    #  11:50       12:00        12:20  12:25
    #  ─────────────■■■■ break ■■■■│■■■■─────
    line = Line.at("11:50", BREAK).runs(minutes=10).stops(minutes=25).runs(minutes=5)
    assert (minutes(line, "planned"), minutes(line, "stopped")) == (20, 5)
    first = next(window for window in line.windows if window.planned_seconds)
    assert (first.availability, first.reason) == (None, "not_required")


def test_a_stop_that_lies_in_a_break_is_planned():
    """And it is no failure."""
    line = Line.at("11:50", BREAK).runs(minutes=15).stops(minutes=10).runs(minutes=5)
    assert [stop.category for stop in line.stopped] == ["planned"]
    assert sum(window.stops for window in line.windows) == 0
    assert not line.alerts("MACHINE_STOP")


def test_a_stop_that_outlasts_its_break_is_told_and_counted_then():
    """The break was planned, what follows is not: an alert from the end of the break on."""
    line = Line.at("11:50", BREAK).runs(minutes=15).stops(minutes=17)
    [alert] = line.alerts("MACHINE_STOP")
    assert alert.started_at[11:16] == "11:20"  # 12:20 in Paris
    line.runs(minutes=5)
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    assert sum(window.stops for window in line.windows) == 1


def test_a_stop_that_outlasts_its_break_in_silence_is_counted_all_the_same():
    """It counts in the window in which it began, which was closed long ago."""
    line = Line.at("11:50", BREAK).runs(minutes=15).stops(seconds=10).silent(minutes=20).runs(minutes=1)
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    assert [window.window_start[11:16] for window in line.windows if window.stops] == ["11:05"]


def test_a_stop_over_a_break_and_a_night_is_lost_only_while_the_line_is_required():
    """A row says how long it was, and how much of it was required: what its windows are charged."""
    #  21:55  22:00            06:00 06:05
    #  ───■■■■■■│■■■■ closed ■■■■■│■■■■─────
    line = Line.at("21:50", OPEN).runs(minutes=5).stops(minutes=8 * 60 + 10).runs(minutes=5)
    assert [(stop.duration, stop.required_seconds) for stop in line.stopped] == [(490 * 60, 600)]
    assert minutes(line, "stopped") == 10
    line = Line.at("11:50", BREAK).runs(minutes=5).stops(minutes=30).silent(minutes=1).runs(minutes=1)
    assert [(stop.duration, stop.required_seconds) for stop in line.stopped] == [(31 * 60, 11 * 60)]


def test_of_a_stop_that_lasts_nobody_knows_how_much_is_required():
    """Silence that is over has the required time of its windows."""
    line = Line.at("10:00").runs(minutes=1).silent(minutes=5).runs(minutes=1).stops(minutes=1)
    assert [(stop.category, stop.required_seconds) for stop in line.stopped] == [
        ("no_signal", minutes(line, "no_signal") * 60),
        ("unplanned", None),
    ]


def test_silence_in_a_break_is_planned_in_its_row_as_in_its_windows():
    """If it reaches beyond the break, the part outside is silence."""
    #  11:50    12:05   12:10  12:15   12:20   12:30        (break: 12:00 to 12:20)
    #   ──────────│░░░░░░│───────│░░░░░░░░│░░░░░░░│──
    line = Line.at("11:50", BREAK).runs(minutes=15).silent(minutes=5).runs(minutes=5)
    assert [stop.category for stop in line.stopped] == ["planned"]
    line.silent(minutes=15)
    assert [stop.category for stop in line.stopped] == ["planned", "no_signal"]  # it lasts: nobody knows
    line.runs(minutes=1)
    rows = [(stop.category, stop.required_seconds) for stop in line.stopped]
    assert rows == [("planned", 0), ("no_signal", 10 * 60)]
    assert minutes(line, "no_signal") == 10


def test_a_line_that_runs_in_its_break_runs():
    """What was made in it is not lost."""
    line = Line.at("11:50", BREAK).runs(minutes=40).data()
    assert (minutes(line, "planned"), minutes(line, "running")) == (0, 40)


def test_outside_opening_time_nothing_is_required():
    """Thursday 22:00: the line stands still, which lowers TRE and not TRS."""
    line = Line.at("21:50", OPEN).runs(minutes=10).stops(minutes=30).data()
    assert (minutes(line, "running"), minutes(line, "closed"), minutes(line, "stopped")) == (10, 30, 0)


def test_silence_outside_opening_time_is_closed():
    """The gateway was switched off for the night: no signal was required."""
    line = Line.at("21:50", OPEN).runs(minutes=11).silent(minutes=30)
    assert minutes(line, "no_signal") == 0
    assert minutes(line, "closed") > 28


def test_windows_are_cut_at_midnight():
    """A night shift belongs to the day that it began, its hours to their own."""
    line = Line.at("23:58").runs(minutes=4)
    assert [(w.day, w.shift_date, w.shift_id) for w in line.windows] == [
        ("2026-01-15", "2026-01-15", "NUIT"),
        ("2026-01-15", "2026-01-15", "NUIT"),
        ("2026-01-16", "2026-01-15", "NUIT"),
        ("2026-01-16", "2026-01-15", "NUIT"),
    ]


def test_the_night_that_loses_an_hour_and_the_one_that_gains_one():
    """NUIT has 7 hours in spring and 9 in autumn; the hour that comes twice is two hours."""
    for day, hours in (("2026-03-28", 7), ("2026-10-24", 9)):
        line = Line.at(
            "21:59", "[line]\nwindow_s = 600\nsilence_s = 3600\n[line.order]\nquantity = 1000000", day=day
        )
        line.every = 600
        line.runs(minutes=60 * 11)
        night = [w for w in line.windows if w.shift_id == "NUIT"]
        assert {w.shift_date for w in night} == {day}
        assert sum(w.running_seconds for w in night) == hours * 3600
        assert len({w.hour for w in night}) == hours
        assert set(Counter(w.hour for w in night).values()) == {6}


def test_a_rate_that_changes_at_a_date_is_the_rate_from_then_on():
    """Late data of the day before is compared with the rate of the day before."""
    plant = """
    [line]
    target_rate = 100
    [[change]]
    from = 2026-01-15T10:10:00
    target_rate = 200
    """
    line = Line.at("10:00", plant)
    line.runs(minutes=20, targetRate=None, rate=100)
    performance = [window.performance for window in line.windows]
    assert performance[0] == 100
    assert performance[-1] == 50


def test_a_rule_holds_from_its_date_on_in_the_middle_of_what_a_line_said():
    """It sends once an hour: its target rate, and the limit of slow, change when the rules do."""
    #  10:00            10:30            10:59
    #   ─ target 60 ─────┆─ target 120 ───│
    plant = """
    [line]
    silence_s = 3600
    target_rate = 60
    [[change]]
    from = 2026-01-15T10:30:00
    target_rate = 120
    """
    line = Line.at("10:00", plant).says(count=0, rate=90, running=True).silent(minutes=59)
    line.says(count=5310, rate=90, running=True)
    assert sum(window.theoretical_output for window in line.windows) == 30 * 60 + 29 * 120
    assert minutes(line, "slow") == 29


def test_windows_of_another_length_begin_where_the_rule_does():
    """In the middle of an hour: no window reaches over the change, none takes another's place."""
    #  10:00          10:25       10:30       10:40
    #  │ 10 │ 10 │ 5  ┆1│1│1│1│1│ ...
    for before, after in ((600, 60), (60, 600)):
        plant = f"[line]\nwindow_s = {before}\n[[change]]\nfrom = 2026-01-15T10:25:00\nwindow_s = {after}"
        line = Line.at("10:00", plant).runs(minutes=40).data()
        found = [(window.window_start[14:16], window.window_end[14:16]) for window in line.windows]
        assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
        assert ("20", "25") in found or ("24", "25") in found
        assert minutes(line, "running") == 40


def test_a_planned_stop_is_no_reason_for_silence_to_be_charged():
    """A break without a signal is a break."""
    line = Line.at("11:59", BREAK).runs(minutes=1).says(Kind.STATUS, bare=b"offline").silent(minutes=20)
    assert minutes(line, "planned") > 19


def test_a_window_says_by_whose_clock_its_day_and_hour_are():
    """A line elsewhere has its own; half hours between two clocks shift the hour."""
    #  Paris 19:40  =  Kolkata 00:10 of the next day
    line = Line.at("19:40", '[plant]\ntime_zone = "Asia/Kolkata"').runs(minutes=1)
    (clock,) = {(window.time_zone, window.day, window.hour) for window in line.windows}
    assert clock == ("Asia/Kolkata", "2026-01-16", "2026-01-15T18:30:00.000Z")

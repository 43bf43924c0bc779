"""A silence of any length: by the minute for a day, then by the hour; shown as it passes, then charged."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.kpi.figures import Sums, figures
from rules.stops import silence_windows
from schemas.events import KpiEvent
from schemas.instant import DAY, HOUR, MINUTE, SECOND, ms_of
from schemas.raw import Kind
from tests.rules.line import Line, at

STATES = (
    "running_seconds", "stopped_seconds", "planned_seconds", "no_signal_seconds", "closed_seconds",
    "unknown_seconds",
)  # fmt: skip
DAY_S = 24 * 3600
WEEK = """
[line]
silence_s = 1200
[line.order]
quantity = 100000000
[[opening]]
days = ["mon", "tue", "wed", "thu", "fri"]
start = 05:00:00
end = 22:00:00
"""


def named(clock: str, plant: str = "", day: str = "2026-01-15") -> Line:
    """A line that the plant file names: it is never dropped, however few messages it sends."""
    return Line.at(clock, f"{plant}\n[lines.ligne1]\n", day)


def total(line: Line, state: str) -> float:
    """Seconds in one state, over all windows."""
    return sum(getattr(window, state) for window in line.windows)


def length(window: KpiEvent) -> float:
    """The length of a window by its bounds, in seconds."""
    start, end = (datetime.fromisoformat(text) for text in (window.window_start, window.window_end))
    return (end - start).total_seconds()


def charged(window: KpiEvent) -> float:
    """The time charged to a window's states, in seconds, to the millisecond: a correction's is exactly 0."""
    return round(sum(getattr(window, state) for state in STATES), 3)


def is_whole(line: Line) -> bool:
    """Whether windows follow on each other without a gap, and each but the last is full."""
    rows = [window for window in line.windows if charged(window)]
    apart = [a for a, b in pairwise(rows) if a.window_end != b.window_start]
    return not apart and all(charged(window) == pytest.approx(length(window)) for window in rows[:-1])


def off(line: Line, hours: float, see: int = 0) -> Line:
    """Says nothing for so long; the pipeline listens for the last minute of each of `see` parts of it."""
    parts = max(see, 1)
    for _ in range(parts):
        line.bridge_down(minutes=60 * hours / parts - 2 * bool(see))
        if see:
            line.silent(minutes=2)
    return line


def test_a_week_of_a_plant_that_is_switched_off_at_night_has_all_of_its_hours():
    """Five days of 17 hours, all of it good production: TRE is what it ran of the calendar."""
    #  Mon 05:00  22:00  Tue …           Fri 22:00                Mon 05:00
    #  ───────────│ off │──── … ─────────│ off, 55 hours: closed  │
    line = named("05:00", WEEK, "2026-01-12")
    line.every, line.ticks = 600, False
    for day in range(12, 17):
        line.now = at("05:00", f"2026-01-{day}")
        line.data().silent(minutes=10).runs(minutes=17 * 60 - 10).data(count=1200).says(
            Kind.STATUS, running=False
        )
    line.now = at("05:00", "2026-01-19")
    line.data(count=0).says(Kind.STATUS, running=False)
    rows = [w for w in line.windows if w.window_start < "2026-01-19T04:00"]
    sums = Sums(
        running=sum(w.running_seconds for w in rows),
        closed=sum(w.closed_seconds for w in rows),
        theoretical=sum(w.theoretical_output for w in rows),
        real=sum(w.reported_output for w in rows),
        pieces=sum(w.pieces for w in rows),
    )
    assert sum(charged(w) for w in rows) == 168 * 3600
    assert (sums.running, sums.closed) == (85 * 3600, 83 * 3600)
    tre = figures(sums).tre
    assert tre is not None
    assert round(tre, 2) == 50.60


def test_a_stop_of_four_days_without_power_costs_what_its_row_says():
    """It was stopped when it was switched off, and remains stopped until it runs."""
    #  10:00 :01                  (4 days)             :01
    #  ───── ■■│■■■■■■■■■■ nothing ■■■■■■■■■■■■■■■■■■■■│──
    line = named("10:00").runs(minutes=1).says(Kind.STATUS, running=False)
    off(line, hours=96).runs(minutes=1)
    [stop] = line.stopped
    assert stop.required_seconds == 345_600
    assert total(line, "stopped_seconds") == 345_600
    assert is_whole(line)


def test_of_a_long_silence_the_first_day_is_told_by_the_minute_and_the_rest_by_the_hour():
    """An hour's window also ends with a shift, and the last one at the next message: minutes follow."""
    #  10:00:10   Fri 10:01 11:00           13:30 14:00     15:00  15:20:30
    #  ─░ minutes │░ 59 min │░░ hours ░░░░░░│░░░░░│░░░░░░░░░│░░░░░░│─
    shifts = '[[shift]]\nname = "A"\nstart = 13:30:00\nend = 22:00:00'
    line = named("10:00:10", shifts).data()
    line.now = at("15:20:30", "2026-01-16")
    line.data(count=0)
    coarse = [w for w in line.windows if length(w) > 60]
    assert [(w.window_start[11:16], length(w) / 60) for w in coarse] == [
        ("09:01", 59), ("10:00", 60), ("11:00", 60), ("12:00", 30), ("12:30", 30), ("13:00", 60),
        ("14:00", 20),
    ]  # fmt: skip
    assert {(w.shift_id, w.hour) for w in coarse} >= {
        (None, "2026-01-16T12:00:00.000Z"),
        ("A", "2026-01-16T12:00:00.000Z"),
    }
    assert is_whole(line)
    assert total(line, "no_signal_seconds") == 29 * 3600 + 20 * 60 + 20 - 30


def test_an_hour_of_silence_does_not_reach_over_a_change_of_rules():
    """The minute in which they change is not begun anew either: it would replace no other row."""
    #  Thu 10:00   Fri 10:00    11:00  11:20:30        12:00
    #  ─░ minutes ─│░░░░░░░░░░░░│░░ 20 │1│░░░ 39 ░░░░░░│
    change = "[[change]]\nfrom = 2026-01-16T11:20:30\nslow_rate = 0.5"
    line = named("10:00", change).data()
    line.now = at("13:00", "2026-01-16")
    line.data(count=0)
    rows = [
        (w.window_start[11:16], length(w) / 60) for w in line.windows if w.window_start >= "2026-01-16T10"
    ]
    assert rows[:3] == [("10:00", 20), ("10:20", 1), ("10:21", 39)]
    assert is_whole(line)


def test_on_the_second_day_and_later_silence_is_shown_hour_by_hour():
    """The page does not go blank, and a tick costs a row an hour."""
    #  Thu 10:00                        Sat 10:30
    #  ■■ (nothing) ■■■■■■■■■■■■■■■■■■■■│
    line = named("10:00").says(Kind.STATUS, running=False)
    off(line, hours=48.5, see=4)
    assert total(line, "stopped_seconds") == 2 * DAY_S
    assert is_whole(line)
    published = len(line.events)
    line.silent(minutes=20)
    assert len(line.events) == published
    line.silent(minutes=10)
    assert total(line, "stopped_seconds") == 2 * DAY_S + 3600


def test_after_an_outage_a_tick_shows_an_hour_of_each_line_and_the_next_ones_the_rest():
    """Forty days are shown within minutes, and no tick makes thousands of rows."""
    line = (
        named("10:00").says(Kind.STATUS, running=False).bridge_down(minutes=40 * 24 * 60).silent(seconds=35)
    )
    ticks = 0
    while total(line, "stopped_seconds") < 40 * DAY_S:
        published = len(line.events)
        line.silent(seconds=5)
        ticks += 1
        assert len(line.events) - published <= 61  # one of them may be the minute under way
    assert ticks == 40  # 1 440 minutes and 936 hours, 60 at once
    assert is_whole(line)


def test_what_is_planned_or_closed_in_a_long_silence_is_so():
    """A stop over a holiday, a plan of two days, and closed hours."""
    #  Thu 10:00         Sat     Mon 10:00         Wed 10:00   Thu 10:00
    #  ■■■■■ 05-22 ■■■■■ closed  │ announced │      │■■■■ 05-22 ■│
    line = named("10:00", WEEK).says(Kind.STATUS, running=False)
    planned: dict[str, Any] = {"start": at("10:00", "2026-01-19"), "end": at("10:00", "2026-01-21")}
    line.says(Kind.STATUS, action="plan", requestId="a", reason="révision", **planned)
    off(line, hours=7 * 24).says(Kind.STATUS, running=True)
    # Opening hours: Thu 12, Fri 17, Mon 5, then Wed 12, Thu 5; of the announced days 12, 17 and 5.
    assert total(line, "stopped_seconds") == 51 * 3600
    assert total(line, "planned_seconds") == 34 * 3600
    assert total(line, "closed_seconds") == (7 * 24 - 85) * 3600
    assert line.stopped[0].required_seconds == 51 * 3600


def test_an_announced_stop_is_not_forgotten_while_the_silence_around_it_lasts():
    """People speak of other plans three weeks later: what lies in the silence is judged when it ends."""
    #  Thu 15th          20th   22nd                 Feb 5th      Feb 6th
    #  ■■■■■ (nothing) ■■│ planned │■■■■■■■■■■■■■■■■■│(said)■■■■■■│─
    line = named("10:00").says(Kind.STATUS, running=False)
    days: dict[str, Any] = {"start": at("10:00", "2026-01-20"), "end": at("10:00", "2026-01-22")}
    line.says(Kind.STATUS, action="plan", requestId="a", **days)
    off(line, hours=21 * 24)
    line.says(Kind.STATUS, action="plan", requestId="b", start=line.now + 9 * DAY, end=line.now + 10 * DAY)
    off(line, hours=24).says(Kind.STATUS, running=True)
    assert total(line, "planned_seconds") == 2 * DAY_S
    assert total(line, "stopped_seconds") == line.stopped[0].required_seconds == 20 * DAY_S


def test_a_long_silence_of_a_line_that_is_retired_then_ends_there():
    """Time after that is in no window."""
    #  Thu 10:00      (3 days)     retired   (9 days)   speaks
    #  ■■■■■■■■■■■■■■■■■■■■■■■■■■■■│                    │─
    line = named("10:00").says(Kind.STATUS, running=False)
    off(line, hours=72).says(Kind.STATUS, action="retire")
    off(line, hours=9 * 24).runs(minutes=1)
    assert total(line, "stopped_seconds") == 3 * DAY_S
    assert sum(map(charged, line.windows)) == pytest.approx(3 * DAY_S + 60, abs=2)


def test_a_silence_longer_than_the_log_remembers_is_told_as_far_as_that(monkeypatch):
    """Neither is more of it shown, nor planned afterwards. Here the log remembers three days, not 400."""
    #  Thu 10:00         Sun 10:00       │ (in no window) │ Wed 10:00
    #  ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■│                │─
    monkeypatch.setattr(silence_windows, "LONGEST", 3 * DAY)
    line = off(named("10:00").says(Kind.STATUS, running=False), hours=6 * 24, see=3)
    line.silent(minutes=10)
    assert len(line.windows) == 24 * 60 + 2 * 24
    for _ in ("shown", "charged"):
        assert total(line, "stopped_seconds") == 3 * DAY_S
        line.says(Kind.STATUS, running=True)
    line.says(Kind.STATUS, action="reason", planned=True)
    assert (total(line, "stopped_seconds"), total(line, "planned_seconds")) == (0, 3 * DAY_S)


def test_a_line_that_is_retired_ends_behind_the_windows_that_were_shown():
    """A will is heard long after the line's last message; no time that was shown is in a second window."""
    #  10:00            12:00    13:00             14:00
    #  ─░░░░░░░░░░░░░░░░░ offline  retired          │ sends 11:20
    #   shown up to here ┘
    line = off(named("10:00:07", "[line]\nwindow_s = 600").data(), hours=2, see=1)
    line.says(Kind.STATUS, bare=b"offline")
    off(line, hours=1).says(Kind.STATUS, action="retire")
    off(line, hours=1).data(count=7, timestamp=line.now - 160 * MINUTE)
    line.data(count=0, timestamp=line.now - 155 * MINUTE)
    windows = [window for window in line.windows if charged(window)]
    assert all(a.window_end <= b.window_start for a, b in pairwise(windows))
    assert total(line, "no_signal_seconds") == 2 * 3600 - 30
    [sent_late] = [window for window in windows if window.pieces == 7]
    assert sent_late.window_start == "2026-01-15T10:20:00.000Z"


def test_what_no_window_remembers_begins_within_an_hour_where_the_silence_did(monkeypatch):
    """The window ends there, and the next one begins with what comes after."""
    monkeypatch.setattr(silence_windows, "LONGEST", 3 * DAY)
    line = off(named("10:20:30").says(Kind.STATUS, running=False), hours=6 * 24).says(
        Kind.STATUS, running=True
    )
    assert total(line, "stopped_seconds") == 3 * DAY_S
    ends = [window.window_end for window in line.windows if window.stopped_seconds]
    assert ends[-1] == "2026-01-18T09:20:30.000Z"


def test_pieces_told_after_a_long_silence_are_spread_over_it():
    """They may have been made in any of its hours: production, not performance; the running order's."""
    #  10:00   (12 days without a network)     10:00
    #  4 ──░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 288 000
    line = named("10:00", "[line.order]\nquantity = 1000000").data()
    off(line, hours=12 * 24).data(count=288_000)
    hours: dict[str, int] = {}
    for window in line.windows:
        hours[window.hour] = hours.get(window.hour, 0) + window.pieces
    assert {count for hour, count in hours.items() if "2026-01-15T10" <= hour < "2026-01-27T09"} == {1000}
    assert sum(window.pieces for window in line.windows) == 288_004
    assert sum(window.timed_pieces for window in line.windows) < 1000
    assert {window.order_number for window in line.windows if window.pieces} == {line.orders[0].order_number}


def test_a_late_piece_belongs_to_its_hour_of_silence():
    """The latest hours are remembered; an older piece gets a row beside them."""
    line = named("10:00").data()
    off(line, hours=72).data(count=0)
    rows = len(line.windows)
    line.data(count=7, timestamp=line.now - 3 * HOUR + MINUTE)
    hour = next(window for window in line.windows if window.pieces == 7)
    assert (length(hour), len(line.windows)) == (3600, rows)
    line.data(count=9, timestamp=line.now - 40 * HOUR)
    beside = next(window for window in line.windows if window.pieces == 9)
    assert (charged(beside), len(line.windows)) == (0, rows + 1)
    assert is_whole(line)


def test_what_was_shown_by_the_hour_is_told_by_the_minute_when_a_gateway_sends_its_past():
    """All of it, or a part: no row that was shown remains beside the rows that replace it."""
    #  10:00      Fri 10:00        Sat 10:00        Sun 10:00 (sends)
    #  ─ ░ minutes │ ░░░ hours ░░░░ │ ░░░ hours ░░░░ │
    #  ──────────── runs ──────────────│░░░░░░░░░░░░░│
    line = named("10:00", "[line]\nwindow_s = 600\nsilence_s = 1200\n[line.order]\nquantity = 1000000").data()
    start = line.now
    off(line, hours=72, see=3)
    for ago in range(10, 50 * 60 + 1, 10):
        line.data(count=1200, timestamp=start + ago * MINUTE)
    assert total(line, "running_seconds") == 50 * 3600
    line.data(count=0)
    assert total(line, "running_seconds") == 50 * 3600 + 1200
    assert total(line, "no_signal_seconds") == 22 * 3600 - 1200
    assert is_whole(line)


story = st.lists(
    st.tuples(
        st.sampled_from(
            ["data", "stopped", "running", "offline", "close", "plan", "past", "retire", "nothing"]
        ),
        st.floats(0.01, 60),
        st.integers(0, 2),
    ),
    min_size=2,
    max_size=7,
)
RULES = """
[line]
window_s = {window_s}
silence_s = {silence_s}
[line.order]
quantity = 1000000
[[shift]]
name = "A"
start = 05:40:00
end = 22:00:00
[[opening]]
days = ["mon", "tue", "wed", "fri", "sun"]
start = 05:10:00
end = 22:00:00
[[change]]
from = 2026-03-29T17:45:20
slow_rate = 0.4
[[change]]
from = 2026-03-30T07:12:34
window_s = 300
"""


@settings(max_examples=40, deadline=None)
@given(story, st.sampled_from([600, 1800]), st.sampled_from([30, 7200, 86_400]))
@example([("offline", 2.0, 1), ("retire", 1.0, 0), ("past", 1.0, 0)], 600, 30)
@example([("data", 1.58203125, 0), ("stopped", 41.625, 0), ("data", 1.0, 0), ("plan", 1.0, 0)], 600, 30)
def test_whatever_was_shown_no_time_is_in_two_windows_and_none_is_missing(story, window_s, silence_s):
    """Over the night with 23 hours, changes of rules, orders that end, stored messages that come later."""
    line = named("09:50:07", RULES.format(window_s=window_s, silence_s=silence_s), "2026-03-27").data()
    start, retired = line.now, False
    for what, hours, see in story:
        off(line, hours, see)
        if what == "data":
            line.data(count=30)
        elif what in ("stopped", "running", "offline"):
            line.says(Kind.STATUS, bare=what.encode())
        elif what == "close":
            line.says(Kind.ORDER, action="close")
        elif what == "plan":
            line.says(
                Kind.STATUS, action="plan", requestId=str(line.now), start=line.now - DAY, end=line.now + HOUR
            )
        elif what == "past" and line.state.clock is not None:
            gap = line.now - line.state.clock
            for _ in range(3):
                line.data(count=7, timestamp=line.state.clock + gap // 9)
        elif what == "retire":
            line.says(Kind.STATUS, action="retire")
            retired = True
    off(line, hours=0.1).data()
    line.silent(seconds=2)
    windows = [window for window in line.windows if charged(window)]
    for window in windows[:-1]:
        assert charged(window) <= length(window) + 1e-6
    for window, following in pairwise(windows):
        assert window.window_end <= following.window_start
    if not retired:
        assert is_whole(line)
    seconds = sum(map(charged, windows))
    assert line.state.kpi is not None
    begin = ms_of(datetime.fromisoformat(windows[0].window_start))
    if not retired:
        assert begin <= start
        assert seconds * SECOND == pytest.approx(line.state.kpi.charged - begin)

"""Stops declared planned afterwards: their time moves, and all that was counted of them with it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import MINUTE
from schemas.raw import Kind
from tests.streams.line import Line, at

DAY_LONG = "[line]\nmicro_stop_s = 60"


def sums(line: Line) -> dict[str, float]:
    """Over all windows, corrections among them."""
    names = (
        "running_seconds", "micro_seconds", "stopped_seconds", "planned_seconds", "no_signal_seconds",
        "closed_seconds", "stops", "micro_stops", "pieces",
    )  # fmt: skip
    return {name: sum(getattr(window, name) for window in line.windows) for name in names}


def told(line: Line) -> list[tuple[str, float | None]]:
    return [(stop.category, stop.duration) for stop in line.stopped]


def lost(line: Line) -> float:
    """Required time of all stops, seconds."""
    return sum(stop.required_seconds or 0 for stop in line.stopped)


def plan(line: Line, start: int, end: int, request: str) -> Line:
    return line.says(Kind.STATUS, action="plan", start=start, end=end, requestId=request)


def shift_with_stops() -> Line:
    """A short stop and a long one."""
    #  10:00   :01    :01:30  :02           :07   :08
    #   ─────────■■■■■■■────────■■■■■■■■■■■■■──────
    line = Line.at("10:00", DAY_LONG).runs(minutes=1).stops(seconds=30).runs(seconds=30)
    return line.stops(minutes=5).runs(minutes=1)


def test_the_time_of_a_stop_declared_planned_is_planned_and_comes_back():
    """Five minutes of 8; nothing else moves."""
    line = shift_with_stops()
    before = sums(line)
    assert (before["stopped_seconds"], before["planned_seconds"]) == (330, 0)
    assert (before["stops"], before["micro_stops"]) == (1, 1)
    line.says(Kind.STATUS, action="reason", planned=True)
    after = sums(line)
    assert after == {**before, "stopped_seconds": 30, "planned_seconds": 300, "stops": 0}
    assert told(line) == [("micro", 30), ("planned", 300)]
    assert [stop.required_seconds for stop in line.stopped] == [30, 0]
    line.says(Kind.STATUS, action="reason", planned=False)
    assert sums(line) == before
    assert told(line) == [("micro", 30), ("unplanned", 300)]


def test_announcements_that_overlap_are_charged_once():
    """From 10:03 to 10:06, of a stop from 10:02 to 10:07; taken back one by one."""
    #   :02   :03   :04   :05   :06   :07
    #    ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
    #          ├── a ──────┤
    #                ├─── b ────┤
    line = shift_with_stops()
    before = sums(line)
    plan(line, at("10:03"), at("10:05"), "a")
    plan(line, at("10:04"), at("10:06"), "b")
    assert sums(line) == {**before, "stopped_seconds": 150, "planned_seconds": 180}
    assert told(line)[1] == ("unplanned", 300)
    assert line.stopped[1].required_seconds == 120
    line.says(Kind.STATUS, action="unplan", requestId="a")
    assert sums(line) == {**before, "stopped_seconds": 210, "planned_seconds": 120}
    line.says(Kind.STATUS, action="unplan", requestId="b")
    assert sums(line) == before


def test_a_line_that_runs_in_planned_time_runs():
    """Only its stops are planned."""
    line = shift_with_stops()
    before = sums(line)
    plan(line, at("10:07"), at("10:08"), "a")
    assert sums(line) == before


def test_the_alert_of_a_stop_declared_planned_ends_and_comes_back_with_it():
    """Nobody need run for a planned stop."""
    line = Line.at("10:00").runs(minutes=1).stops(minutes=2)
    line.says(Kind.STATUS, action="reason", planned=True)
    assert [alert.status for alert in line.alerts("MACHINE_STOP")] == ["resolved"]
    line.says(Kind.STATUS, action="reason", planned=False)
    assert [alert.status for alert in line.alerts("MACHINE_STOP")] == ["resolved", "open"]


minutes = st.tuples(st.integers(-2, 20), st.integers(1, 8))


@settings(max_examples=60, deadline=None)
@given(st.lists(minutes, max_size=4), st.lists(st.tuples(st.booleans(), st.integers(10, 200)), max_size=8))
def test_announced_before_or_declared_afterwards_is_the_same(plans, story):
    """As long as the stops are remembered: the same sums, the same stops."""
    lines = Line.at("09:30", DAY_LONG).runs(minutes=1), Line.at("09:30", DAY_LONG).runs(minutes=1)
    for line, ahead in zip(lines, (True, False), strict=True):
        line.silent(seconds=10)
        begin = line.now
        announced = [
            (begin + start * MINUTE, begin + (start + length) * MINUTE, str(n))
            for n, (start, length) in enumerate(plans)
        ]
        for each in announced if ahead else ():
            plan(line, *each)
        for runs, seconds in story:
            (line.runs if runs else line.stops)(seconds=seconds)
        line.runs(seconds=10)
        for each in announced if not ahead else ():
            plan(line, *each)
        line.silent(seconds=5)
    one, other = lines
    assert sums(one) == sums(other)
    assert told(one) == told(other)
    for line in lines:
        assert lost(line) == sums(line)["stopped_seconds"]

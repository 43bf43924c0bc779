"""Stops declared planned afterwards: their time is reclassified, and so is everything counted of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import MINUTE
from schemas.raw import Kind
from tests.rules.line import Line, at

DAY_LONG = "[line]\nmicro_stop_s = 60"


def sums(line: Line) -> dict[str, float]:
    """Over all windows, corrections among them."""
    names = (
        "running_seconds", "micro_seconds", "stopped_seconds", "planned_seconds", "no_signal_seconds",
        "closed_seconds", "stops", "micro_stops", "pieces",
    )  # fmt: skip
    return {name: sum(getattr(window, name) for window in line.windows) for name in names}


def stops_of(line: Line) -> list[tuple[str, float | None]]:
    return [(stop.category, stop.duration) for stop in line.stopped]


def asked(line: Line) -> list[tuple[str, float | None]]:
    return [(stop.category, stop.required_seconds) for stop in line.stopped]


def lost(line: Line) -> float:
    """Required time of all stops but silence, seconds."""
    return sum(stop.required_seconds or 0 for stop in line.stopped if stop.category != "no_signal")


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
    assert stops_of(line) == [("micro", 30), ("planned", 300)]
    assert [stop.required_seconds for stop in line.stopped] == [30, 0]
    line.says(Kind.STATUS, action="reason", planned=False)
    assert sums(line) == before
    assert stops_of(line) == [("micro", 30), ("unplanned", 300)]


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
    assert stops_of(line)[1] == ("unplanned", 300)
    assert line.stopped[1].required_seconds == 120
    line.says(Kind.STATUS, action="unplan", requestId="a")
    assert sums(line) == {**before, "stopped_seconds": 210, "planned_seconds": 120}
    line.says(Kind.STATUS, action="unplan", requestId="b")
    assert sums(line) == before


def test_a_stop_of_three_days_in_silence_is_moved_hour_by_hour():
    """All of it, and no row has more than an hour of it."""
    #  Thu 10:01                        Sun 10:01
    #  ─■■■■■■■■■■■ (nothing) ■■■■■■■■■■│──
    line = Line.at("10:00").runs(minutes=1).says(Kind.STATUS, bare=b"stopped")
    line.bridge_down(minutes=3 * 24 * 60).runs(minutes=1)
    before = sums(line)
    assert (before["stopped_seconds"], before["planned_seconds"]) == (3 * 24 * 3600, 0)
    line.says(Kind.STATUS, action="reason", planned=True)
    assert sums(line) == {**before, "stopped_seconds": 0, "planned_seconds": 3 * 24 * 3600, "stops": 0}
    assert max(window.planned_seconds for window in line.windows) == 3600
    line.says(Kind.STATUS, action="reason", planned=False)
    assert sums(line) == before


def by_order(line: Line) -> dict[str | None, tuple[float, float]]:
    """(stopped, planned) minutes of each order."""
    found: dict[str | None, tuple[float, float]] = {}
    for w in line.windows:
        stopped, planned = found.get(w.order_number, (0.0, 0.0))
        found[w.order_number] = stopped + w.stopped_seconds / 60, planned + w.planned_seconds / 60
    return found


def test_a_stop_is_judged_by_the_rules_of_when_it_ended():
    """Forty seconds were a micro-stop then, and are none now: its time is reclassified as it was charged."""
    plant = DAY_LONG + "\n[[change]]\nfrom = 2026-01-15T10:05:00\nmicro_stop_s = 0"
    line = Line.at("10:00", plant).runs(minutes=1).stops(seconds=40).runs(minutes=10)
    before = sums(line)
    assert (before["micro_seconds"], before["stopped_seconds"], before["micro_stops"]) == (40, 40, 1)
    line.says(Kind.STATUS, action="reason", planned=True)
    after = {"micro_seconds": 0, "stopped_seconds": 0, "planned_seconds": 40, "micro_stops": 0}
    assert sums(line) == {**before, **after}
    line.says(Kind.STATUS, action="reason", planned=False)
    assert (sums(line), stops_of(line)) == (before, [("micro", 40)])


def test_silence_that_is_declared_planned_is_planned_in_its_windows():
    """The line was switched off over lunch: the rows are as if that had been announced."""
    #  10:00  :01  :01:28       :06  :07
    #   ────────── ░░░░░░░░░░░░ ─────
    line = Line.at("10:00", DAY_LONG).runs(minutes=1).silent(minutes=5).runs(minutes=1)
    before = sums(line)
    assert before["no_signal_seconds"] == 272
    line.says(Kind.STATUS, action="reason", planned=True)
    assert sums(line) == {**before, "no_signal_seconds": 0, "planned_seconds": 272}
    assert asked(line) == [("planned", 0)]
    line.says(Kind.STATUS, action="reason", planned=False)
    assert (sums(line), asked(line)) == (before, [("no_signal", 272)])


def test_silence_in_time_that_is_announced_afterwards_is_planned_as_far_as_that():
    """Its row and its windows say the same."""
    #  10:00  :01  :01:28   :03   :06  :07
    #   ────────── ░░░░░░░░│plan░░ ─────
    line = Line.at("10:00", DAY_LONG).runs(minutes=1).silent(minutes=5).runs(minutes=1)
    plan(line, at("10:03"), at("10:10"), "lunch")
    assert (sums(line)["no_signal_seconds"], asked(line)) == (92, [("no_signal", 92)])
    plan(line, at("10:01"), at("10:10"), "longer")
    assert (sums(line)["no_signal_seconds"], asked(line)) == (0, [("planned", 0)])


def test_a_changeover_declared_planned_takes_nothing_from_an_order_that_had_ended():
    """The order was closed in the middle of the stop, and its windows are no longer remembered."""
    #  10:00   :05   :07(closed)     :37          11:07
    #  ── A ────■■■■■│■■■■ none ■■■■■│── B ────────│
    line = Line.at("10:00").runs(minutes=5).stops(minutes=2).says(Kind.STATUS, bare=b"stopped")
    line.says(Kind.ORDER, action="close").silent(minutes=30)
    line.says(Kind.STATUS, bare=b"running").runs(minutes=30)
    a, b = (order.order_number for order in line.orders)
    assert by_order(line) == {a: (2, 0), None: (30, 0), b: (0, 0)}
    line.says(Kind.STATUS, action="reason", reason="changement de format", planned=True)
    assert by_order(line) == {a: (0, 2), None: (0, 30), b: (0, 0)}


def test_a_line_that_runs_in_planned_time_runs():
    """Only its stops are planned."""
    line = shift_with_stops()
    before = sums(line)
    plan(line, at("10:07"), at("10:08"), "a")
    assert sums(line) == before


def test_the_alert_of_a_stop_declared_planned_ends_and_comes_back_with_it():
    """A planned stop needs no attention."""
    line = Line.at("10:00").runs(minutes=1).stops(minutes=2)
    line.says(Kind.STATUS, action="reason", planned=True)
    assert [alert.status for alert in line.alerts("MACHINE_STOP")] == ["resolved"]
    line.says(Kind.STATUS, action="reason", planned=False)
    assert [alert.status for alert in line.alerts("MACHINE_STOP")] == ["resolved", "open"]


minutes = st.tuples(st.integers(-2, 20), st.integers(1, 8))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(minutes, max_size=4),
    st.lists(st.tuples(st.sampled_from(["runs", "stops", "silent"]), st.integers(10, 200)), max_size=8),
)
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
        for what, seconds in story:
            getattr(line, what)(seconds=seconds)
        line.runs(seconds=10)
        for each in announced if not ahead else ():
            plan(line, *each)
        line.silent(seconds=5)
    one, other = lines
    assert sums(one) == sums(other)
    assert stops_of(one) == stops_of(other)
    for line in lines:
        assert lost(line) == sums(line)["stopped_seconds"]

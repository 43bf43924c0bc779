"""Operator messages, afterwards or in advance: each is a message in the log."""

import json
from typing import Any

from rules.stops.planned import OPEN
from schemas.raw import Kind
from schemas.state import MAX_STOPS
from tests.rules.line import Line, at


def stopped_twice() -> Line:
    """Stops from 10:01 to 10:02, and from 10:03 on."""
    #  10:00   :01    :02    :03
    #   ────────■■■■■■■───────■■■■■■
    return Line.at("10:00").runs(minutes=1).stops(minutes=1).runs(minutes=1).stops(minutes=1)


def says(line: Line, action: str, **fields: Any) -> Line:
    return line.says(Kind.STATUS, action=action, **fields)


def reasons(line: Line) -> list[tuple[str | None, str]]:
    return [(stop.reason, stop.category) for stop in line.stopped]


def test_a_reason_given_afterwards_takes_the_place_of_what_was_there():
    """By id, by a time within the stop, or for the open stop; the last message counts."""
    line = stopped_twice()
    first = line.stopped[0]
    says(line, "reason", reason="bourrage")
    says(line, "reason", stop=first.id, reason="casse")
    assert reasons(line) == [("casse", "unplanned"), ("bourrage", "unplanned")]
    says(line, "reason", at=at("10:01:30"), reason="format")
    assert reasons(line) == [("format", "unplanned"), ("bourrage", "unplanned")]
    assert line.stopped[0].end_time == first.end_time
    assert line.stopped[0].duration == 60


def test_without_a_stop_the_latest_is_meant_if_none_is_open():
    """The latest is the one that just ended."""
    line = says(stopped_twice().runs(minutes=1), "reason", reason="bourrage")
    assert reasons(line) == [(None, "unplanned"), ("bourrage", "unplanned")]


def test_a_reason_that_the_machine_tells_later_does_not_replace_a_persons():
    """A machine's first reason is kept, and an operator's replaces it."""
    line = says(stopped_twice(), "reason", reason="bourrage")
    line.says(Kind.STATUS, status="stopped", reason="E42")
    assert reasons(line)[1] == ("bourrage", "unplanned")


def test_a_stop_declared_planned_is_planned_and_may_be_taken_back():
    """Its category, and the planned time of the line, while it lasts and once it has ended."""
    line = says(stopped_twice(), "reason", planned=True)
    assert reasons(line) == [(None, "unplanned"), (None, "planned")]
    assert line.state.stop_history.planned == ((at("10:03"), OPEN),)
    line.runs(minutes=1)
    assert reasons(line)[1] == (None, "planned")
    assert line.state.stop_history.planned == ((at("10:03"), at("10:04")),)
    says(line, "reason", planned=False)
    assert reasons(line)[1] == (None, "unplanned")
    assert line.state.stop_history.planned == ()


def test_planned_stops_are_announced_and_taken_back_and_overlapping_ones_are_one():
    """By the plant's clock; known by their requestId."""
    #  12:00    :10    :20    :30
    #    ├─── a ───────┤
    #            ├──── b ──────┤
    line = stopped_twice()
    says(line, "plan", start="2026-01-15T12:00", end="2026-01-15T12:20", reason="pause", requestId="a")
    says(line, "plan", start="2026-01-15T12:10", end="2026-01-15T12:30", requestId="b")
    assert line.state.stop_history.planned == ((at("12:00"), at("12:30")),)
    says(line, "unplan", requestId="a")
    assert line.state.stop_history.planned == ((at("12:10"), at("12:30")),)
    says(line, "unplan", requestId="a")
    says(line, "plan", start="2026-01-15T12:00", end="2026-01-15T12:20", requestId="a")
    assert line.state.stop_history.planned == ((at("12:10"), at("12:30")),)
    assert not line.dead_letters


def test_an_announcement_is_forgotten_a_week_after_its_end():
    """The state stays small; new ones take its place."""
    line = says(stopped_twice(), "plan", start="2026-01-15T12:00", end="2026-01-15T12:20", requestId="a")
    line.bridge_down(minutes=8 * 24 * 60).data()
    says(line, "plan", start="2026-01-24T12:00", end="2026-01-24T12:20", requestId="b")
    assert line.state.stop_history.planned == ((at("12:00", "2026-01-24"), at("12:20", "2026-01-24")),)


def test_a_stop_stays_planned_when_what_announced_it_is_forgotten():
    """Its row and its windows remain: later plans of other time do not change them."""
    #  Jan 15                  Jan 24
    #  ├─ a ──┤                           ├─ b ─┤
    #    ■■■■
    line = says(Line.at("10:00").runs(minutes=1), "plan", start=at("10:01"), end=at("10:10"), requestId="a")
    line.stops(minutes=5).runs(minutes=5)
    assert [(stop.category, stop.duration) for stop in line.stopped] == [("planned", 300)]
    planned = sum(window.planned_seconds for window in line.windows)
    line.ticks = False
    line.silent(minutes=9 * 24 * 60)
    for n in range(2):
        says(line, "plan", start=line.now + n, end=line.now + 9 + n, requestId=f"b{n}")
    assert len(line.state.stop_history.plans) == 2
    assert line.stopped[0].category == "planned"
    assert sum(window.planned_seconds for window in line.windows) == planned == 300


def test_a_repeated_request_changes_nothing():
    """A message that the broker delivers twice, or late."""
    line = says(stopped_twice(), "reason", reason="a", requestId="1")
    says(line, "reason", reason="b", requestId="2")
    says(line, "reason", reason="a", requestId="1")
    assert reasons(line)[1][0] == "b"


def test_what_can_not_be_done_is_a_dead_letter():
    """Its sentence says what is wrong."""
    line = stopped_twice()
    for fields in (
        {"action": "reason", "stop": "?", "reason": "x"},
        {"action": "reason", "at": at("10:02:30"), "reason": "x"},
        {"action": "unplan", "requestId": "never"},
        {"action": "plan", "start": "2026-01-15T12:00", "end": "2026-01-15T11:00", "requestId": "c"},
        {"action": "plan", "start": "soon", "end": "2026-01-15T11:00", "requestId": "d"},
        {"action": "plan", "start": 1, "end": 2},
        {"action": "reason"},
        {"action": "dance"},
    ):
        line.says(Kind.STATUS, **fields)
    assert [(letter.reason) for letter in line.dead_letters] == [
        "unknown_stop",
        "unknown_stop",
        "unknown_plan",
        "bad_field",
        "bad_field",
        "missing",
        "missing",
        "bad_field",
    ]
    assert line.dead_letters[4].detail.startswith("champ start refusé: soon")
    assert "reason, plan, unplan, retire ou forget" in line.dead_letters[7].detail
    for n in range(51):
        says(line, "plan", start=at("12:00") + n, end=at("12:10") + n, requestId=f"p{n}")
    assert line.dead_letters[8].reason == "too_many_plans"


def test_the_latest_stops_are_known_and_no_more():
    """A hundred; operators can no longer change earlier ones."""
    line = Line.at("10:00")
    line.ticks = False
    for _ in range(MAX_STOPS + 1):
        line.runs(seconds=2).stops(seconds=2)
    line.runs(seconds=2)
    oldest, second = line.stopped[0].id, line.stopped[1].id
    says(line, "reason", stop=oldest, reason="x")
    says(line, "reason", stop=second, reason="y")
    assert [letter.reason for letter in line.dead_letters] == ["unknown_stop"]
    assert line.stopped[1].reason == "y"


def test_people_who_speak_of_a_line_do_not_end_its_silence():
    """A machine without signal remains without signal, whatever is planned for it."""
    line = Line.at("10:00").runs(seconds=10)
    for n in range(6):
        line.silent(seconds=10)
        says(line, "plan", start=at("12:00"), end=at("12:10"), requestId=f"p{n}")
        line.says(Kind.ORDER, productType="Eau", quantity=5)
    assert [stop.category for stop in line.stopped] == ["no_signal"]


def test_a_machine_may_have_a_field_called_action():
    """Beside a `status`, it is an unknown field."""
    line = Line.at("10:00").runs(seconds=10).says(Kind.STATUS, status="stopped", action="lubricate")
    assert len(line.stopped) == 1
    assert not line.dead_letters


def test_a_retired_line_has_no_more_windows_and_nothing_open():
    """Its stop, its alerts and its running order end; a waiting order remains waiting."""
    #  10:00   :01       :02
    #   ────────■■■■■■■■■■╳
    line = Line.at("10:00").runs(minutes=1, temperature=50).stops(minutes=1)
    line.says(Kind.ORDER, orderNumber="A", productType="Eau", quantity=5)
    says(line, "retire").silent(minutes=60)
    [stop] = line.stopped
    assert (stop.end_time, stop.duration) == ("2026-01-15T09:02:00.000Z", 60)
    assert {alert.status for alert in (*line.alerts("MACHINE_STOP"), *line.alerts("HIGH_TEMPERATURE"))} == {
        "resolved"
    }
    assert [(order.status, order.end_time) for order in line.orders] == [
        ("completed", "2026-01-15T09:02:00.000Z"),
        ("waiting", None),
    ]
    seconds = sum(window.running_seconds + window.stopped_seconds for window in line.windows)
    assert (seconds, sum(window.no_signal_seconds for window in line.windows)) == (120, 0)
    events = len(line.events)
    says(line.silent(minutes=60), "retire").silent(minutes=60)
    assert len(line.events) == events


def test_a_retired_line_comes_back_by_itself_when_it_speaks():
    """As a new beginning: the time in between is charged as unknown."""
    #  10:00  :01╳        11:01:30  :02:30
    #   ──────────            ───────
    line = says(Line.at("10:00").runs(minutes=1), "retire")
    line.silent(minutes=60, seconds=30).runs(minutes=1, seconds=2)
    assert not line.state.retired
    running = sum(window.running_seconds for window in line.windows)
    others = sum(w.stopped_seconds + w.no_signal_seconds + w.unknown_seconds for w in line.windows)
    assert (running, others) == (120, 0)
    assert [order.status for order in line.orders] == ["completed", "running"]
    assert sum(window.pieces for window in line.windows) == sum(order.produced for order in line.orders)
    assert says(Line.at("10:00"), "retire").dead_letters[0].reason == "unknown_line"


def test_a_retired_line_whose_clock_is_behind_comes_back_all_the_same():
    """It ends by its own clock, so that its next message is not late."""
    line = Line.at("10:00")
    for _ in range(10):
        line.data(timestamp=line.now - 3_600_000).silent(seconds=2)
    says(line, "retire").silent(minutes=10)
    line.data(timestamp=line.now - 3_600_000).silent(seconds=2).data(timestamp=line.now - 3_600_000)
    assert not line.state.retired
    assert sum(window.running_seconds for window in line.windows) == 22


def correct(line: Line, number: str, **fields: Any) -> Line:
    return line.says(Kind.ORDER, action="correct", orderNumber=number, **fields)


def test_the_quantity_of_an_order_is_corrected_while_it_waits_while_it_runs_and_afterwards():
    """At or below what was produced, it ends; an order that ended stays so."""
    line = Line.at("10:00").says(Kind.ORDER, orderNumber="A", productType="Eau", quantity=100)
    correct(line, "A", quantity=50).data(count=20).silent(seconds=2)
    correct(line, "A", quantity=40)
    line.silent(seconds=2).data(count=0)
    assert len({window.order_number for window in line.windows}) == 1
    assert [(o.quantity, o.status, o.end_time) for o in line.orders] == [(40, "running", None)]
    correct(line, "A", quantity=20)
    assert [(o.quantity, o.status) for o in line.orders] == [(20, "completed")]
    assert line.orders[0].end_time == "2026-01-15T09:00:04.000Z"
    correct(line, "A", quantity=60)
    assert [(o.quantity, o.produced, o.status) for o in line.orders] == [(60, 20, "completed")]
    assert line.data(count=1).orders[1].produced == 1


def test_rejects_found_later_count_in_the_order_and_in_the_window_of_their_time():
    """The order is done; its last window is revised."""
    line = Line.at("10:00", "[line.order]\nquantity = 240").runs(minutes=5)
    first = line.orders[0]
    correct(line, first.order_number, defects=12, requestId="r")
    correct(line, first.order_number, defects=12, requestId="r")
    correct(line, first.order_number, defects=-2, at=at("10:00:30"))
    assert line.orders[0].defects == 10
    assert line.orders[0].end_time == first.end_time
    found = {(w.window_start[11:16], w.order_number): w.defects for w in line.windows if w.defects}
    assert found == {("09:01", first.order_number): 12, ("09:00", first.order_number): -2}


def test_rejects_found_later_are_in_a_window_of_their_order_and_in_no_other():
    """It was closed some seconds after the line's last message; time since then has windows of its own."""
    #  10:00       10:05 (closed 10:05:10)   10:06:10     10:07
    #  ─── A ───────│       none             │── B ───────
    line = Line.at("10:00").runs(minutes=5).silent(seconds=10).says(Kind.ORDER, action="close")
    line.silent(minutes=1).runs(minutes=1)
    a, b = (order.order_number for order in line.orders)
    correct(line, a, defects=3)
    correct(line, a, defects=2, at=at("10:06:30"))
    correct(line, b, defects=1, at=at("10:02:30"))
    found = {number: sum(w.defects for w in line.windows if w.order_number == number) for number in (a, b)}
    assert found == {order.order_number: order.defects for order in line.orders} == {a: 5, b: 1}


def test_corrections_that_make_no_sense_are_dead_letters():
    """Unknown orders, fewer defects than none, nothing to correct."""
    line = Line.at("10:00").says(Kind.ORDER, orderNumber="A", productType="Eau", quantity=100).data(defects=3)
    correct(line, "?", quantity=5)
    correct(line, "A", defects=-4)
    correct(line, "A")
    line.says(Kind.ORDER, action="correct", quantity=5)
    correct(line, "A", defects=1.5)
    assert [letter.reason for letter in line.dead_letters] == [
        "unknown_order",
        "too_few_defects",
        "missing",
        "missing",
        "bad_field",
    ]
    assert "de -1 000 000 à" in line.dead_letters[4].detail
    assert line.orders[0].defects == 3


def test_what_people_said_is_in_the_log_and_a_replay_keeps_it():
    """The same records give the same rows."""
    line = says(stopped_twice(), "reason", reason="bourrage", planned=True)
    again = Line.at("10:00")
    for record in line.records:
        again.now = record.received_at
        again._put(record.line_id, record.headers, record.payload)
    assert again.stopped == line.stopped
    assert json.loads(line.records[-1].payload)["reason"] == "bourrage"

"""Orders: created, planned, counted up, ended."""

from typing import Any

from schemas.raw import Kind
from tests.rules.line import Line

SMALL = "[line.order]\nquantity = 10"


def test_the_first_message_creates_the_order_of_the_plant_and_counts_in_it():
    """10 000 of Bouteille Standard 1L, medium, by Auto MQTT, unless the plant says otherwise."""
    [order] = Line.at("10:00").data(count=2).orders
    assert (order.quantity, order.product_type) == (10_000, "Bouteille Standard 1L")
    assert (order.priority, order.operator, order.status) == ("medium", "Auto MQTT", "running")
    assert (order.produced, order.shift, order.line) == (2, "MATIN", "Ligne 1")
    assert order.start_time == "2026-01-15T09:00:00.000Z"
    assert order.order_number.startswith("ORD-1768467600-")
    assert len(order.order_number) == len("ORD-1768467600-XXXXX")


def test_an_order_ends_when_its_quantity_is_reached_and_keeps_the_overshoot():
    """The next order begins with the next message, which counts in it."""
    #  10:00:00   :02   :04   :06
    #     4        4     4     4      of 10
    #  ├── order 1 ── 12 ┤     ├── order 2: 4
    line = Line.at("10:00", SMALL)
    for _ in range(4):
        line.data(count=4).silent(seconds=2)
    first, second = line.orders
    assert (first.produced, first.status, first.end_time) == (12, "completed", "2026-01-15T09:00:04.000Z")
    assert (second.produced, second.status, second.start_time) == (4, "running", "2026-01-15T09:00:06.000Z")


def test_a_message_that_fills_an_order_by_itself_starts_and_ends_it():
    """One event per row: the order appears completed."""
    line = Line.at("10:00", SMALL).data(count=25)
    [order] = line.orders
    assert (order.produced, order.status) == (25, "completed")
    assert sum(event.id == order.id for event in line.events) == 1


def test_the_estimated_end_follows_from_what_remains_and_the_last_target_above_zero():
    """8 pieces left at 120 a minute are 4 seconds."""
    line = Line.at("10:00", SMALL).data(count=2)
    assert line.orders[0].estimated_end_time == "2026-01-15T09:00:04.000Z"
    line.silent(seconds=2).data(count=0, targetRate=0, running=False)
    assert line.orders[0].estimated_end_time == "2026-01-15T09:00:06.000Z"


def plan(line: Line, number: str, **fields: Any) -> Line:
    return line.says(Kind.ORDER, orderNumber=number, productType="Eau 50cl", quantity=100, **fields)


def test_planned_orders_run_first_the_highest_priority_before_the_oldest():
    """A waiting order starts when data arrives and none runs."""
    line = Line.at("10:00", SMALL)
    for number, priority in (("A", "medium"), ("B", "high"), ("C", "high"), ("D", "low")):
        plan(line, number, priority=priority)
    assert {order.status for order in line.orders} == {"waiting"}
    for _ in range(4):
        line.silent(seconds=2).data(count=100)
    ended = sorted(line.orders, key=lambda order: order.end_time or "")
    assert [order.order_number for order in ended] == ["B", "C", "A", "D"]
    assert {order.status for order in ended} == {"completed"}


def test_a_running_order_is_not_interrupted_by_an_urgent_one():
    """It waits for the next start."""
    line = plan(Line.at("10:00").data(), "U", priority="urgent").data()
    assert [order.status for order in line.orders] == ["running", "waiting"]


def test_an_order_planned_again_is_replaced_while_it_waits_and_left_alone_once_it_runs():
    """`add` of a number that is running or done changes nothing."""
    line = plan(Line.at("10:00"), "A")
    line.says(Kind.ORDER, orderNumber="A", productType="Eau 1L", quantity=5)
    assert [(o.product_type, o.quantity) for o in line.orders] == [("Eau 1L", 5)]
    line.data(count=2)
    plan(line, "A")
    assert [(o.quantity, o.status) for o in line.orders] == [(5, "running")]
    line.data(count=4)
    plan(line, "A")
    assert [(o.quantity, o.status) for o in line.orders] == [(5, "completed")]
    assert not line.dead_letters


def test_a_repeated_request_changes_nothing():
    """The same `requestId` twice is one order."""
    line = Line.at("10:00")
    for _ in range(2):
        line.says(Kind.ORDER, productType="Eau 50cl", quantity=100, requestId="r1")
    assert len(line.orders) == 1


def test_orders_are_closed_and_cancelled_by_message():
    """Without a number: the running one."""
    line = Line.at("10:00").data(count=3).silent(seconds=2).says(Kind.ORDER, action="close")
    line.data(count=4).says(Kind.ORDER, action="cancel")
    plan(line, "A").says(Kind.ORDER, action="cancel", orderNumber="A")
    line.says(Kind.ORDER, action="cancel", orderNumber="A")
    assert [(o.status, o.produced) for o in line.orders] == [
        ("completed", 3),
        ("cancelled", 4),
        ("cancelled", 0),
    ]
    assert line.orders[0].end_time == "2026-01-15T09:00:02.000Z"


def test_what_can_not_be_done_is_a_dead_letter():
    """An unknown number, nothing to close, too many waiting."""
    line = Line.at("10:00").says(Kind.ORDER, action="close")
    line.says(Kind.ORDER, action="cancel", orderNumber="?")
    for n in range(49):
        plan(line, f"N{n}")
    assert [letter.reason for letter in line.dead_letters] == [
        "no_running_order",
        "unknown_order",
        "too_many_orders",
    ]


def test_a_late_message_counts_in_the_order_that_runs_now():
    """It changes neither the actual rate nor the state."""
    line = Line.at("10:00").data(count=2).silent(seconds=10)
    line.data(count=3, timestamp=line.now - 20_000, rate=5, running=False)
    [order] = line.orders
    assert (order.produced, order.actual_rate, line.state.mode) == (5, 120, "running")


def test_a_retained_order_is_a_dead_letter():
    """The broker sends it at each subscription: it would be added again each time."""
    line = Line.at("10:00").says(Kind.ORDER, productType="Eau 50cl", quantity=5000, retain=True)
    line.says(Kind.ORDER, productType="Eau 50cl", quantity=5000)
    assert [letter.reason for letter in line.dead_letters] == ["retained"]
    assert [(order.quantity, order.status) for order in line.orders] == [(5000, "waiting")]

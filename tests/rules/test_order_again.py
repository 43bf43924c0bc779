"""An order's number that comes again."""

from schemas.raw import Kind
from schemas.state import MAX_REMEMBERED
from tests.rules.line import Line


def plan(line: Line, number: str, quantity: int) -> Line:
    return line.says(Kind.ORDER, orderNumber=number, productType="Eau 50cl", quantity=quantity)


def test_a_number_that_the_line_has_forgotten_is_a_new_order_beside_the_old_one():
    """The ended order keeps its row; the new one counts from 0."""
    #  A: 7 ┤ 500 others, cancelled │ A again: waits, then 3 of 5
    line = plan(Line.at("10:00"), "A", 7).data(count=7)
    for other in range(MAX_REMEMBERED):
        plan(line, f"B{other}", 1).says(Kind.ORDER, action="cancel", orderNumber=f"B{other}")
    plan(line, "A", 5)
    first, again = (order for order in line.orders if order.order_number == "A")
    assert (first.status, first.produced, first.quantity) == ("completed", 7, 7)
    assert (again.status, again.produced, again.quantity) == ("waiting", 0, 5)
    line.silent(seconds=2).data(count=3)
    first, again = (order for order in line.orders if order.order_number == "A")
    assert (first.status, first.produced, again.status, again.produced) == ("completed", 7, "running", 3)


def test_a_number_that_a_forgotten_line_had_is_a_new_order_beside_the_old_one():
    """A forgotten line has no remembered numbers; its rows remain as they were."""
    line = plan(Line.at("10:00"), "A", 7).data(count=7).says(Kind.STATUS, action="forget")
    plan(line, "A", 5)
    assert [(order.status, order.produced) for order in line.orders] == [("completed", 7), ("waiting", 0)]


def test_a_waiting_order_that_is_planned_anew_keeps_its_row():
    """Its number is known as long as it waits."""
    line = plan(plan(Line.at("10:00"), "A", 7), "A", 5)
    assert [(order.status, order.quantity) for order in line.orders] == [("waiting", 5)]

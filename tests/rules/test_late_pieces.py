"""Pieces that are reported late belong to the order of their time, in its row and in its windows."""

from schemas.instant import SECOND
from schemas.raw import Kind
from tests.rules.line import Line, at

BY_100 = "[line.order]\nquantity = 100\n"


def in_rows(line: Line) -> dict[str, tuple[int, int]]:
    """(pieces, defects) of each order, as its row has them."""
    return {order.order_number: (order.produced, order.defects) for order in line.orders}


def in_windows(line: Line) -> dict[str, tuple[int, int]]:
    """The same, as its windows have them."""
    found: dict[str, tuple[int, int]] = {}
    for window in line.windows:
        assert window.order_number is not None or not window.pieces
        if window.order_number is not None:
            pieces, defects = found.get(window.order_number, (0, 0))
            found[window.order_number] = pieces + window.pieces, defects + window.defects
    return found


def test_late_pieces_of_before_an_order_change_are_the_earlier_orders():
    """Its end and its status do not change."""
    #  10:00:00           :48 │ :50            10:01:02
    #     order 1: 100 of 100 │ order 2 ...      10, made at 10:00:14
    line = Line.at("10:00", BY_100).runs(seconds=62)
    before = line.orders[0]
    line.data(count=10, defects=2, timestamp=at("10:00:14")).silent(seconds=2)
    first, second, *_ = line.orders
    assert (first.produced, first.defects, first.status) == (110, 2, "completed")
    assert (first.end_time, first.actual_rate) == (before.end_time, before.actual_rate)
    assert (second.produced, second.status) == (4 * 6, "running")
    assert in_windows(line) == in_rows(line)


def test_late_pieces_of_an_order_that_was_cancelled_leave_it_so():
    """Its windows get them, too, and they start no order."""
    line = Line.at("10:00").runs(minutes=1).says(Kind.ORDER, action="cancel").silent(seconds=5)
    line.data(count=7, timestamp=at("10:00:31"))
    assert [(order.status, order.produced) for order in line.orders] == [("cancelled", 127)]
    line.runs(seconds=10)
    assert in_windows(line) == in_rows(line)
    assert len(line.orders) == 2


def test_late_pieces_of_an_order_that_is_forgotten_are_the_running_ones_in_both():
    """25 orders ago: they get a row of their own beside the windows of their time."""
    line = Line.at("10:00", BY_100).runs(seconds=26 * 50)
    line.data(count=9, timestamp=at("10:00:20")).silent(seconds=2)
    assert line.orders[0].produced == 100
    assert line.orders[-1].produced % 4 == 1
    assert in_windows(line) == in_rows(line)


def test_late_pieces_of_time_without_an_order_are_the_running_ones_in_both():
    """A pause between two orders had none."""
    #  10:00        10:01 closed     10:03      10:03:30
    #     order 1    ■■■ stopped ■■■   order 2     9, made at 10:02
    line = Line.at("10:00").runs(minutes=1).says(Kind.ORDER, action="close")
    line.says(Kind.STATUS, bare=b"stopped").silent(minutes=2).runs(seconds=30)
    line.data(count=9, timestamp=at("10:02")).silent(seconds=2)
    assert [order.produced for order in line.orders] == [120, 4 * 15 + 9]
    assert in_windows(line) == in_rows(line)


def test_time_is_moved_in_its_own_window_whatever_stands_beside_it():
    """A stop that is declared planned later is so in the window that it lay in."""
    line = Line.at("10:00").runs(minutes=1).says(Kind.ORDER, action="close")
    line.says(Kind.STATUS, bare=b"stopped").silent(minutes=2).runs(seconds=30)
    line.data(count=9, timestamp=at("10:02"))
    line.says(Kind.STATUS, action="reason", stop=line.stopped[0].id, planned=True).silent(seconds=2)
    assert sum(window.planned_seconds for window in line.windows) == 120
    assert all(window.planned_seconds >= 0 and window.stopped_seconds >= 0 for window in line.windows)


def test_late_pieces_are_in_both_whatever_their_time():
    """Over a quarter of an hour of short orders and stops, one message in ten late by up to five minutes."""
    line = Line.at("10:00", BY_100)
    for n in range(90):
        line.runs(seconds=8) if n % 7 else line.stops(seconds=12)
        line.data(count=n, defects=n % 3, timestamp=line.now - (n * 37 % 300) * SECOND)
    line.silent(seconds=2)
    assert in_windows(line) == in_rows(line)
    assert sum(pieces for pieces, _ in in_rows(line).values()) == sum(
        s.bottles_produced for s in line.samples
    )

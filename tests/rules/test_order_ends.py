"""An order that an operator ends during a stop gets the stop up to then, although the machine is quiet."""

import pytest

from schemas.raw import Kind
from tests.rules.line import Line, at


def windows_of(line: Line) -> list[tuple[str, str, bool, float, float, int]]:
    """(from, to, whether of an order, running, stopped, pieces) of each window."""
    return [
        (
            w.window_start[14:19], w.window_end[14:19], w.order_number is not None,
            w.running_seconds, w.stopped_seconds, w.pieces,
        )
        for w in line.windows
    ]  # fmt: skip


def of_orders(line: Line) -> dict[str, tuple[float, float]]:
    """(running, stopped) of each order."""
    found: dict[str, tuple[float, float]] = {}
    for window in line.windows:
        if window.order_number is not None:
            running, stopped = found.get(window.order_number, (0, 0))
            found[window.order_number] = running + window.running_seconds, stopped + window.stopped_seconds
    return found


def stands(line: Line) -> Line:
    return line.says(Kind.STATUS, bare=b"stopped")


def ran() -> Line:
    """A machine that sends only changes: 120 pieces in a minute, then a stop."""
    line = Line.at("10:00", "[line]\nsilence_s = 600\n").data(count=0).silent(minutes=1).data(count=120)
    return stands(line)


@pytest.mark.parametrize("action", ["close", "cancel"])
def test_an_order_ended_in_a_stop_has_the_stop_up_to_then(action):
    """Availability is 50 %, not 100; the rest of the stop belongs to no order."""
    #  10:00        10:01      10:02:00               10:04
    #    ────────────■■■■■■■■■■■│■■■■■■■■■■■■■■■■■■■■■■───
    #       order 1             │ none                  order 2
    line = ran().silent(minutes=1).says(Kind.ORDER, action=action).silent(minutes=2)
    first = line.orders[0].order_number
    assert of_orders(line)[first] == (60, 60)
    line.data(count=0).silent(minutes=1).data(count=120).silent(seconds=2)
    assert of_orders(line) == {first: (60, 60), line.orders[1].order_number: (60, 0)}
    assert sum(w.stopped_seconds for w in line.windows) == line.stopped[0].duration == 180
    assert line.orders[0].end_time == "2026-01-15T09:02:00.000Z"


def test_a_correction_that_ends_an_order_is_no_other_end():
    """A correction sets its quantity to what it has made already."""
    line = ran().silent(minutes=1)
    line.says(Kind.ORDER, action="correct", orderNumber=line.orders[0].order_number, quantity=120)
    line.silent(minutes=2).data(count=0).silent(seconds=2)
    assert of_orders(line)[line.orders[0].order_number] == (60, 60)


def test_within_a_minute_its_window_ends_with_the_order():
    """The rows that are shown meanwhile and those that are charged later are the same."""
    #  10:01         10:02:20
    #    ■■■■■■■■■■■■■■■│■■■■■■■■■■■
    line = ran().silent(seconds=80).says(Kind.ORDER, action="close")
    line.silent(minutes=2)
    shown = windows_of(line)
    assert shown[1:4] == [
        ("01:00", "02:00", True, 0, 60, 0),
        ("02:00", "02:20", True, 0, 20, 0),
        ("02:20", "03:00", False, 0, 40, 0),
    ]
    line.data(count=0).silent(seconds=2)
    assert windows_of(line)[:4] == shown[:4]


def test_what_the_line_tells_later_of_the_time_before_takes_its_place():
    """A gateway was offline: the line ran again before its order was closed, and made pieces for it."""
    #  10:01       10:02            10:04 closed    sent at 10:06
    #    ■■■■■■■■■■■■ 60 60 60 60 60 60│60 60 ...
    offline = ran().silent(minutes=3).says(Kind.ORDER, action="close").silent(minutes=2)
    for second in range(0, 240, 30):
        offline.data(count=60 * (second > 0), timestamp=at("10:02") + second * 1000)
    offline.silent(seconds=6)
    assert [order.produced for order in offline.orders] == [120 + 60 * 4, 60 * 3]
    assert next(iter(of_orders(offline).values())) == (60 + 120, 60)
    for order in offline.orders:
        made = sum(w.pieces for w in offline.windows if w.order_number == order.order_number)
        assert made == order.produced


def test_the_last_pieces_told_after_the_close_of_a_stop_begin_no_order_of_the_time_before():
    """They are counted once, in the same order by its row and by its windows."""
    line = stands(Line.at("10:00").runs(minutes=1)).silent(seconds=10)
    line.says(Kind.ORDER, action="close").silent(seconds=10)
    line.says(count=3, targetRate=120, timestamp=line.now).silent(seconds=20)
    for order in line.orders:
        made = sum(w.pieces for w in line.windows if w.order_number == order.order_number)
        assert made == order.produced
    assert sum(w.stopped_seconds for w in line.windows if w.order_number == line.orders[0].order_number) == 10


@pytest.mark.parametrize("behind", [-20, 3, 45])
def test_an_order_closed_by_a_person_ends_by_the_clock_of_its_line(behind):
    """Whatever the machine's clock is off by, the order has the same running and stopped time."""
    line = Line.at("10:00", "[line]\nsilence_s = 600\n")
    line.data(count=0, timestamp=line.now - behind * 1000).silent(minutes=1)
    line.data(count=0, running=False, timestamp=line.now - behind * 1000).silent(minutes=1)
    line.says(Kind.ORDER, action="close").silent(minutes=1)
    line.data(count=4, timestamp=line.now - behind * 1000).silent(seconds=2)
    assert of_orders(line)[line.orders[0].order_number] == (60, 60)
    assert len(line.orders) == 2


def test_a_line_that_runs_ends_its_order_with_its_last_message():
    """Pieces made since, and the time since, belong to the next order."""
    line = Line.at("10:00").data(count=0).silent(seconds=20).data(count=40).silent(seconds=5)
    line.says(Kind.ORDER, action="close").silent(seconds=15).data(count=40).silent(seconds=2)
    assert of_orders(line) == {line.orders[0].order_number: (20, 0), line.orders[1].order_number: (20, 0)}

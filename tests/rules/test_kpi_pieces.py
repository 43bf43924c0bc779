"""Pieces belong to the time in which they were made, and count for performance where that time is known."""

import pytest

from schemas.raw import Kind, RawHeaders
from tests.rules.line import Line, at

BY_PIECES = '[line]\nperformance_from = "pieces"\n'


def counted(line: Line) -> list[tuple[int, int]]:
    """(pieces, of them for performance) of each window."""
    return [(window.pieces, window.timed_pieces) for window in line.windows]


def test_a_machine_that_speaks_every_25_seconds_makes_as_much_in_every_minute():
    """50 pieces at 120 a minute: each minute has its own 120, none 100 and none 150."""
    #  10:00   :25   :50 │ :15   :40 │ :05 ...
    #    50     50   20+30    50   40+10
    line = Line.at("10:00", BY_PIECES)
    line.data(count=0)
    for _ in range(13):
        line.silent(seconds=25).data(count=50)
    assert [window.pieces for window in line.windows[:5]] == [120] * 5
    assert [window.performance for window in line.windows[:5]] == [100] * 5


def test_whole_pieces_are_shared_and_none_is_lost_on_the_way():
    """7 pieces over 20 s of one minute and 10 s of the next: 4 and 3 by cumulative floor."""
    line = Line.at("10:00:40").data(count=0)
    line.silent(seconds=30).data(count=7, defects=2)
    assert [(window.pieces, window.defects) for window in line.windows] == [(4, 1), (3, 1)]


def test_rejects_told_without_pieces_are_shared_as_pieces_are():
    """3 of them over 20 s of one minute and 10 s of the next."""
    line = Line.at("10:00:40").data(count=0)
    line.silent(seconds=30).data(count=0, defects=3)
    assert [(window.pieces, window.defects) for window in line.windows] == [(0, 2), (0, 1)]


def test_two_messages_of_one_moment_are_both_performance():
    """The second message's pieces took no time of their own, and count in the same window."""
    line = Line.at("10:00").data(count=0).silent(seconds=30).data(count=30).data(count=20)
    line.silent(seconds=2).data(count=0)
    assert counted(line) == [(50, 50)]


def test_pieces_are_made_while_the_line_runs():
    """A stop between two messages takes none of them."""
    #  10:00:30      :50        11:10    11:20
    #   ───────────────■■■■■■■■│■■■■■■■■────────
    line = Line.at("10:00:30").data(count=0).silent(seconds=20)
    line.says(Kind.STATUS, bare=b"stopped").silent(seconds=20).says(Kind.STATUS, bare=b"running")
    line.silent(seconds=10).data(count=30)
    assert counted(line) == [(20, 20), (10, 10)]


def test_the_pieces_of_a_lines_first_message_are_production_and_no_performance():
    """It is not known how long they took."""
    line = Line.at("10:00", BY_PIECES).data(count=500).silent(seconds=30).data(count=60)
    assert counted(line) == [(560, 60)]
    assert line.windows[0].performance == 100


def test_pieces_of_a_time_without_signal_are_production_and_no_performance():
    """Pieces made before it fell silent still count for performance, by their share of the time."""
    #  10:00      :30                  :00     (2 minutes)
    #   ────────────?????????????????????
    line = Line.at("10:00", BY_PIECES).data(count=0).silent(minutes=2).data(count=240)
    first, second, *_ = line.windows
    assert (first.pieces, first.timed_pieces) == (120, 60)
    assert (second.pieces, second.timed_pieces) == (120, 0)
    assert (first.performance, second.performance) == (100, None)


def test_a_past_that_comes_behind_the_present_is_production_and_no_performance():
    """A gateway sends current messages first: the silence is charged, so its pieces have no running time."""
    #  10:00   :02 ░░░░░ silence ░░░░░ :12   (sends :02 to :12)  :16
    #   ────────                       ──────────────────────────
    line = Line.at("10:00", BY_PIECES).runs(minutes=2).silent(minutes=10)
    back = line.now
    line.runs(minutes=1)
    for second in range(60, 600, 10):
        line.data(count=20, timestamp=back - 600_000 + second * 1000)
    line.data(count=5, timestamp=back + 30_000).runs(minutes=3)
    late = 54 * 20
    assert sum(w.pieces for w in line.windows) - sum(w.timed_pieces for w in line.windows) >= late
    assert sum(w.timed_pieces for w in line.windows) <= 1.05 * sum(w.theoretical_output for w in line.windows)
    assert line.windows[12].timed_pieces == 125


def test_pieces_of_a_time_in_which_nobody_knows_what_the_line_was_are_no_performance():
    """A counter: its first reading counts no pieces, and does not show whether the line runs."""
    #  10:00          10:05          10:10
    #    ?  ?  ?  ?  ?   ──────────────
    #  1000          1300           1600
    line = Line.at("10:00", f'{BY_PIECES}silence_s = 600\ncount_mode = "counter"\ncounter_max = 99999\n')
    for reading in (1000, 1300, 1600):
        line.says(count=reading, targetRate=60).silent(minutes=5)
    assert counted(line)[:10] == [(60, 0)] * 5 + [(60, 60)] * 5
    assert [window.performance for window in line.windows[:10]] == [None] * 5 + [100] * 5


def test_within_a_minute_only_the_share_of_known_time_is_performance():
    """As over several minutes: pieces made without signal, or before the first message, do not count."""
    #  10:00  :05        :20                    10:00            :30
    #   ────────?????????─                        ?  ?  ?  ?  ?  ?
    line = Line.at("10:00", f"{BY_PIECES}silence_s = 5\n").data(count=0).silent(seconds=20).data(count=40)
    assert counted(line) == [(40, 10)]
    line = Line.at("10:00", f'{BY_PIECES}silence_s = 600\ncount_mode = "counter"\ncounter_max = 99999\n')
    line.says(count=1000, targetRate=60).silent(seconds=30).says(count=1030, targetRate=60).silent(seconds=5)
    assert counted(line) == [(30, 0)]


def test_a_line_that_comes_back_after_its_end_begins_anew():
    """Pieces are not spread over the days in which it was retired."""
    line = Line.at("10:00", BY_PIECES).data(count=5)
    line.says(Kind.STATUS, action="retire").silent(minutes=30).data(count=7)
    assert counted(line) == [(5, 0), (7, 0)]


def test_a_backlog_without_timestamps_is_production_and_no_performance():
    """It comes at once, and does not say when it was made; with timestamps it counts as usual."""
    for timestamped, timed in ((False, 0), (True, 120)):
        line = Line.at("10:00").data(count=0)
        line.bridge_down(seconds=20)
        for second in range(2, 22, 2):
            timestamp = {"timestamp": at("10:00") + second * 1000} if timestamped else {"timestamp": None}
            line.data(count=12, backlog=True, **timestamp)
        line.silent(seconds=5)
        assert counted(line) == [(120, timed)]
    line = Line.at("10:00:50").data(count=0).bridge_down(seconds=20)
    line.data(count=40, backlog=True, timestamp=None).silent(seconds=5)
    assert counted(line) == [(20, 0), (20, 0)]


def test_an_order_that_ends_takes_its_pieces_with_it():
    """Later pieces were made for the next order, also within the same minute."""
    line = Line.at("10:00:50", "[line.order]\nquantity = 100").data(count=0)
    line.silent(seconds=20).data(count=100).silent(seconds=20).data(count=30)
    produced = {order.order_number: order.produced for order in line.orders}
    by_order: dict[str | None, int] = dict.fromkeys(produced, 0)
    for window in line.windows:
        by_order[window.order_number] += window.pieces
    assert by_order == produced
    assert sorted(by_order.values()) == [30, 100]


def test_an_order_closed_by_a_person_cuts_the_time_that_its_successor_is_made_in():
    """The pieces of the next message are the next order's, all of them."""
    line = Line.at("10:00").data(count=10).silent(seconds=10).says(Kind.STATUS, bare=b"running")
    line.says(Kind.ORDER, action="close").silent(seconds=10).data(count=20)
    assert [(w.order_number, w.pieces) for w in line.windows] == [
        (order.order_number, order.produced) for order in line.orders
    ]


@pytest.mark.parametrize("every", [1, 2, 7, 25, 29])
def test_the_rhythm_of_messages_does_not_change_the_minutes(every):
    """However often a machine speaks, the same minute has the same pieces, to one that is not whole."""
    line = Line.at("10:00").data(count=0)
    reported = 0
    for second in range(every, 241, every):
        made = second * 2
        line.silent(seconds=every).data(count=made - reported)
        reported = made
    assert all(abs(window.pieces - 120) <= 1 for window in line.windows[:3])


def test_a_header_that_says_backlog_is_understood():
    """The header is written as the bridge writes it."""
    assert RawHeaders.decode(RawHeaders(Kind.DATA, "t", backlog=True).encode()).backlog


def test_an_order_that_ends_as_its_window_begins_keeps_its_pieces_and_its_stop():
    """Its window has no time, and a row of its own beside the next order's."""
    line = Line.at("10:00", "[line.order]\nquantity = 4").data(count=4).silent(seconds=2).data(count=1)
    line.silent(minutes=3)
    assert sum(window.pieces for window in line.windows) == sum(order.produced for order in line.orders) == 5
    line = Line.at("10:00", "[line.order]\nquantity = 12").data(count=4).silent(minutes=1)
    line.data(count=4).data(count=4).silent(seconds=2).data(count=1).silent(minutes=3)  # two at 10:01 sharp
    assert sum(window.pieces for window in line.windows) == sum(order.produced for order in line.orders) == 13
    line = Line.at("10:00").stops(seconds=10).silent(minutes=3)
    assert sum(window.stops for window in line.windows) == 1


def test_rejects_found_in_an_order_long_done_are_that_orders():
    """Its windows are no longer remembered: a correction stands beside them, under its number."""
    line = Line.at("10:00", "[line.order]\nquantity = 1200").runs(minutes=11)
    first = line.orders[0]
    line.runs(minutes=40)
    line.says(Kind.ORDER, action="correct", orderNumber=first.order_number, defects=3)
    assert sum(w.defects for w in line.windows if w.order_number == first.order_number) == 3
    assert [order.defects for order in line.orders if order.order_number == first.order_number] == [3]

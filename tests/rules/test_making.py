"""A machine that stops and runs any number of times between two counts: pieces stay near their time."""

from datetime import datetime
from itertools import accumulate

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.kpi import production
from schemas.instant import HOUR, ms_of
from schemas.kpi_state import ProductionInterval
from schemas.raw import Kind
from tests.rules.line import Line, at

#  ran, of which nobody knows; then stood: s
intervals = st.lists(
    st.tuples(st.integers(1, 600), st.booleans(), st.integers(0, 600)), min_size=1, max_size=200
)


def remembered(story: list[tuple[int, bool, int]]) -> tuple[tuple[ProductionInterval, ...], list[int], int]:
    """What a line remembers, for how long it ran up to each second, and the length of all of it."""
    known: tuple[ProductionInterval, ...] = ()
    running, now = [0], 0
    for ran, sure, stood in story:
        known = production.longer(known, now, now + ran, sure)
        running += [1] * ran + [0] * stood
        now += ran + stood
    return known, list(accumulate(running)), now


@settings(max_examples=200, deadline=None)
@given(intervals)
def test_time_is_told_no_further_than_a_twentieth_of_all_from_where_it_was(story):
    """And none of it is lost: running time remains running time, unknown time remains unknown."""
    known, ran_until, end = remembered(story)
    parts = list(production.shares(known))
    assert len(known) <= production.MOST
    for sure in (True, False):
        weight = sum(part.weight for part in parts if part.known == sure)
        assert weight == sum(ran for ran, was_sure, _ in story if was_sure == sure)
    assert all(0 <= part.start < part.end <= end for part in parts)
    for second in range(0, end, 10):
        told_until = sum(
            part.weight * min(max(second - part.start, 0), part.end - part.start) / (part.end - part.start)
            for part in parts
        )
        early, late = max(second - end // 20 - 1, 0), min(second + end // 20 + 1, end)
        assert ran_until[early] - 1e-6 <= told_until <= ran_until[late] + 1e-6


@settings(max_examples=100, deadline=None)
@given(intervals)
def test_up_to_forty_stretches_are_told_as_they_were(story):
    """Nothing is joined but neighbours of one kind that touch."""
    exact: list[ProductionInterval] = []
    now = 0
    for ran, sure, stood in story[: production.MOST]:
        if exact and exact[-1].end == now and exact[-1].known == sure:
            exact[-1] = ProductionInterval(exact[-1].start, now + ran, sure)
        else:
            exact.append(ProductionInterval(now, now + ran, sure))
        now += ran + stood
    assert remembered(story[: production.MOST])[0] == tuple(exact)


@pytest.mark.parametrize("changes", [20, 60, 200])
def test_the_hours_between_two_counts_have_what_was_made_in_them(changes):
    """Eight hours, one count: each hour has its pieces, but for some made within 24 minutes of it."""
    #  06:00                                                          14:00
    #   ──■──■──■──■──■──■──■──■ ... runs more and more of the time ... 48 000
    line = Line.at("06:00", "[line]\nsilence_s = 3600\n[line.order]\nquantity = 1000000").data(count=0)
    running: list[tuple[int, int]] = []
    for number in range(changes):
        start, end = (at("06:00") + 8 * HOUR * n // changes for n in (number, number + 1))
        stands = start + (end - start) * (changes - number) // (2 * changes)
        line.says(Kind.STATUS, bare=b"stopped")._until(stands)
        line.says(Kind.STATUS, bare=b"running")._until(end)
        running.append((stands, end))
    line.data(count=48_000)
    line.silent(seconds=5)
    total = sum(end - start for start, end in running)

    def made(until: int) -> float:
        return 48_000 * sum(max(min(end, until) - start, 0) for start, end in running) / total

    found = 0
    assert sum(window.pieces for window in line.windows) == 48_000
    for hour in range(6, 14):
        bound = at(f"{hour + 1:02}:00")
        here = [
            w for w in line.windows if bound - HOUR < ms_of(datetime.fromisoformat(w.window_end)) <= bound
        ]
        found += sum(window.pieces for window in here)
        slack = 0 if changes <= production.MOST else 8 * HOUR // 20
        assert made(bound - slack) - 60 <= found <= made(bound + slack) + 60
        assert sum(w.timed_pieces for w in here) == sum(w.pieces for w in here)


def test_a_stretch_that_goes_on_is_one_also_where_it_stands_for_others():
    """The last of the forty: its pieces are spread over all of it."""
    story = [(10, True, 5)] * production.MOST
    known, _, end = remembered([(600, True, 5), *story])
    whole = production.longer(known, end, end + 1, True)
    assert len(whole) == production.MOST
    last = whole[-1]
    assert last.others is not None
    onward = production.longer(whole, last.end, last.end + 100, True)
    assert (production.ran(onward), production.span(onward)) == (
        600 + 10 * production.MOST + 1 + 100,
        (0, last.end + 100),
    )


def test_no_rate_is_derived_over_time_of_which_nobody_knows_whether_the_line_ran():
    """It was offline for some of it."""
    #  10:00      :20          :40    11:00
    #   ───────────│░░░ offline ░│─────── 30
    line = Line.at("10:00", "[line]\nsilence_s = 120").says(count=1).silent(seconds=20)
    line.says(Kind.STATUS, bare=b"offline").silent(seconds=20).says(Kind.STATUS, bare=b"running")
    line.silent(seconds=20).says(count=30)
    assert line.samples[-1].actual_rate is None


def test_a_rate_that_is_derived_counts_the_time_in_which_the_line_ran():
    """30 pieces: the line ran for 20 s of the 60 s since its last message, and its last pieces come now."""
    #  10:00      :20             11:00
    #   ───────────│■■■■■■■■■■■■■■│ 30
    line = Line.at("10:00", "[line]\nsilence_s = 120").says(count=1).silent(seconds=20)
    line.says(Kind.STATUS, bare=b"stopped").silent(seconds=40).says(count=30)
    assert line.samples[-1].actual_rate == 90


def test_a_line_that_stood_all_the_while_made_its_pieces_in_all_of_it():
    """Its messages say that it did not run; its pieces show that it did."""
    line = Line.at("10:00", "[line]\nsilence_s = 120").says(count=0, running=False).silent(seconds=60)
    line.says(count=30, running=True)
    assert line.samples[-1].actual_rate == 30


def test_a_state_of_the_release_before_is_still_read():
    """Each of its intervals stands for itself only."""
    assert msgspec.json.decode(b"[1,2,true]", type=ProductionInterval) == ProductionInterval(1, 2, True)

"""The union of intervals, and the difference of two sets of them."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rules.stops.planned import union, without

intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def moments(of) -> set[int]:
    return {moment for start, end in of for moment in range(start, end)}


def test_declarations_that_overlap_or_touch_are_one():
    """None is counted twice."""
    #  0    5    10   15   20
    #  ├────────┤
    #       ├───────┤
    #                ├─┤
    #                  ├─┤     ├┤
    assert union([(5, 13), (0, 9), (16, 18), (14, 16), (22, 23)]) == ((0, 13), (14, 18), (22, 23))


def test_what_is_taken_out_of_the_middle_leaves_both_ends():
    """Half open: what touches takes nothing."""
    assert without([(0, 10)], [(3, 5), (5, 6), (10, 12)]) == ((0, 3), (6, 10))


@given(intervals)
def test_a_union_holds_the_same_time_in_disjoint_parts(drawn):
    """In order, with time between any two."""
    joined = union(drawn)
    assert moments(joined) == moments(drawn)
    assert all(end < start for (_, end), (start, _) in pairwise(joined))
    assert union(reversed(drawn)) == joined


@given(intervals, intervals)
def test_what_is_left_is_what_is_not_taken(drawn, taken):
    """To the millisecond."""
    assert moments(without(drawn, taken)) == moments(drawn) - moments(taken)

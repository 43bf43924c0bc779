"""How another log is distinguished from the known one."""

import pytest

from bridge.log_continuity import LogContinuity


def test_a_log_that_grows_is_the_one_it_was() -> None:
    """Batches in order; gaps by retention or other writers are no sign of another log."""
    known = LogContinuity()
    assert known.begin(0) == 1
    assert all(known.follows(0, first, 10) for first in (0, 10, 50))
    assert known.follows(1, 0, 1)
    assert known.begin(1) == 2
    assert not known.anew


def test_what_others_wrote_in_between_is_a_gap() -> None:
    """From our last record to our next batch, for each partition."""
    known = LogContinuity()
    assert known.gap(0, 40) is None  # nothing is known of it yet
    known.follows(0, 10, 5)
    known.follows(1, 90, 1)
    assert known.gap(0, 15) is None
    assert known.gap(0, 18) == (15, 18)
    assert known.gap(0, -1) == (15, None)
    assert known.gap(0, 3) is None  # another log: `follows` tells


@pytest.mark.parametrize("first", [0, 9])
def test_a_place_that_was_taken_already_is_in_another_log(first: int) -> None:
    """Reported once; from then on that log is the known one, in all partitions."""
    known = LogContinuity()
    known.follows(0, 0, 10)
    known.follows(1, 0, 10)
    assert not known.follows(0, first, 1)
    assert known.anew
    assert known.follows(1, 0, 10)


def test_a_repetition_that_kafka_gives_no_place_tells_nothing() -> None:
    """Kafka had the batch already, and does not say where."""
    known = LogContinuity()
    known.follows(0, 0, 10)
    assert known.follows(0, -1, 5)
    assert known.follows(0, 15, 1)
    assert not known.anew
    assert known.follows(0, -1, 5)
    assert not known.follows(0, 15, 1)  # as ever: that place is taken


def test_runs_never_go_back() -> None:
    """A log without our runs is another one; the next run is above all of ours."""
    known = LogContinuity()
    assert known.begin(41) == 42
    assert known.begin(0) == 43
    assert known.anew


def test_a_run_whose_fence_was_never_stored_tells_nothing() -> None:
    """Kafka was away in between: the log without that run is still the same."""
    known = LogContinuity()
    assert known.begin(41) == 42
    assert known.begin(41) == 43
    assert not known.anew
    known.follows(0, 10, 1)  # the fence of 43
    assert known.begin(41) == 44
    assert known.anew

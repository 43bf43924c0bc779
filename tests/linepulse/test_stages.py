"""Which stages have moved between two readings of the doctor."""

from linepulse.stage_check import Seen, Stored, noted, still
from runtime.progress import Progress


def log(ends: dict[int, int], applied: dict[int, int]) -> Progress:
    return Progress(ends, {}, applied)


def seen(at: float, ago: float | None) -> Seen:
    """A reading at `at` s, when the sinks' last note was `ago` s old."""
    return Seen(at, log({}, {}), Stored({}, {}, ago, None))


def test_all_has_moved():
    """Another end, and another position; if it has read all, none is needed."""
    assert still(log({0: 5, 1: 5}, {0: 5, 1: 2}), log({0: 6, 1: 7}, {0: 6, 1: 3})) == ([], [])
    assert still(log({0: 5}, {0: 5}), log({0: 5}, {0: 5})) == ([0], [])


def test_what_stands_is_told_by_partition():
    """A bridge that writes to one only, a worker that reads one only."""
    assert still(log({0: 5, 1: 5}, {0: 1, 1: 1}), log({0: 6, 1: 5}, {0: 1, 1: 2})) == ([1], [0])


def test_a_group_that_has_told_nothing_stands():
    """Before its first commit there is none; nothing to read is no reason to tell."""
    assert still(log({0: 5, 1: 0}, {}), log({0: 6, 1: 0}, {})) == ([1], [0])


def test_the_sinks_live_when_they_note_something_between_two_looks():
    """Their latest note is another one, or was made just now."""
    assert noted(seen(0, 4.0), seen(5, 1.5))
    assert noted(seen(0, 0.5), seen(0.2, 0.7))
    assert noted(seen(0, None), seen(5, 3.0))
    assert not noted(seen(0, 4.0), seen(12, 16.0))
    assert not noted(seen(0, None), seen(12, None))

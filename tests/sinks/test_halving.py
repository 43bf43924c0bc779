"""Halving: whatever is refused, all other rows are written, in their order, and each refusal is kept."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.halving import Halving, is_refusal

WRONG = ValueError("wrong")


def written(halving: Halving[int], bad: set[int]) -> list[int]:
    """Write the parts of some rows; a part with a bad row is refused."""
    done: list[int] = []
    for part in halving:
        if bad & set(part):
            halving.refuse(part, WRONG)
        else:
            done += part
    return done


@given(st.integers(0, 40), st.sets(st.integers(0, 39)))
def test_what_is_refused_stands_alone(count: int, bad: set[int]):
    """No good row is lost, doubled or moved by the bad ones beside it."""
    rows = list(range(count))
    halving = Halving(rows)
    assert written(halving, bad) == [row for row in rows if row not in bad]
    assert halving.refused == [(row, WRONG) for row in rows if row in bad]
    assert not halving


def test_all_rows_are_tried_at_once_first():
    """Where nothing is refused, one statement writes everything; nothing to write is no statement."""
    assert list(Halving([1, 2, 3])) == [[1, 2, 3]]
    assert list(Halving([])) == []


def test_a_part_can_be_tried_in_another_way():
    """It comes again, whole, before what follows it."""
    halving = Halving([1, 2, 3, 4])
    parts = iter(halving)
    halving.refuse(next(parts), WRONG)
    halving.repeat(next(parts))
    assert list(parts) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (psycopg.errors.NumericValueOutOfRange(), True),
        (psycopg.errors.UniqueViolation(), True),
        (psycopg.errors.ProgramLimitExceeded(), True),
        (psycopg.errors.CardinalityViolation(), True),
        (psycopg.DataError("a NUL"), True),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), True),
        (psycopg.errors.DiskFull(), False),
        (psycopg.errors.UndefinedTable(), False),
        (psycopg.OperationalError("the connection is lost"), False),
        (OSError("no route"), False),
        (KeyError("a fault of ours"), False),
    ],
)
def test_the_rows_are_at_fault_or_waiting_may_help(error: Exception, refusal: bool):
    """An outage taken for a refusal loses rows; a refusal taken for an outage waits for ever."""
    assert is_refusal(error) == refusal

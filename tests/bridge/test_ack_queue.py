"""Acknowledgements in the order of receipt."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from bridge.ack_queue import AckQueue


@dataclass
class Batch:
    done: bool = False


def test_a_later_delivery_waits_for_an_earlier_one() -> None:
    """Partition B is stored first, but the delivery before it, in partition A, is not yet."""
    #  receipt:    1(A)  2(B)  3(B)  4(A)
    ledger, a, b = AckQueue(), Batch(), Batch()
    for mid, batch in ((1, a), (2, b), (3, b), (4, a)):
        ledger.add(mid, 10, batch)
    b.done = True
    assert ledger.settle() == []
    a.done = True
    assert ledger.settle() == [1, 2, 3, 4]


def test_qos_0_is_counted_and_not_acknowledged() -> None:
    """A delivery at QoS 0 has packet id 0, but counts towards the bytes in memory."""
    ledger, batch = AckQueue(), Batch()
    ledger.add(0, 100, batch)
    ledger.add(7, 10, batch)
    assert (len(ledger), ledger.bytes) == (2, 110)
    batch.done = True
    assert ledger.settle() == [7]
    assert (len(ledger), ledger.bytes) == (0, 0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.permutations(range(6)))
def test_whatever_is_stored_first_the_order_is_that_of_receipt(places: list[int], stored: list[int]) -> None:
    """Every delivery is acknowledged once, in order of receipt."""
    batches = [Batch() for _ in range(6)]
    ledger = AckQueue()
    for mid, place in enumerate(places, start=1):
        ledger.add(mid, 1, batches[place])
    acked = []
    for place in stored:
        batches[place].done = True
        acked += ledger.settle()
    assert acked == list(range(1, len(places) + 1))

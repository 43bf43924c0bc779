"""Messages that the broker sends again, and new ones that look the same."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.deduplicator import Deduplicator, Held
from bridge.record import Delivery, digest_of

WINDOW = 10
REACH = 2 * WINDOW
IDS = 3 * REACH  # packet ids before they come round


def delivery(mid: int, payload: bytes = b"same") -> Delivery:
    return Delivery("production/a/data", payload, 1, False, False, mid)


def held(seq: int, mid: int, payload: bytes = b"same", run: int = 1) -> Held:
    return Held(run, seq, mid, "production/a/data", digest_of(payload))


def test_a_message_whose_acknowledgement_was_lost_is_recognised_once():
    """The same payload under the next packet id is another message."""
    log = Deduplicator([held(1, 1), held(2, 2)], REACH)
    assert [log.holds(delivery(mid)) for mid in (2, 3, 2)] == [True, False, False]


def test_a_message_that_a_later_run_wrote_does_not_hide_those_before_it():
    """The first of three failed with its partition; the next run wrote it, and died too."""
    log = Deduplicator([held(1, 2), held(2, 3), held(1, 1, run=2)], REACH)
    assert [log.holds(delivery(mid)) for mid in (1, 2, 3)] == [True, True, True]


def test_another_payload_under_the_same_packet_id_is_another_message():
    """Packet ids are used again."""
    assert not Deduplicator([held(1, 1)], REACH).holds(delivery(1, b"other"))


def test_a_message_that_another_partition_did_not_store_is_written():
    """Of three in flight the middle one was lost with its partition."""
    log = Deduplicator([held(1, 1), held(3, 3)], REACH)
    assert [log.holds(delivery(mid)) for mid in (1, 2, 3)] == [True, False, True]


def test_only_as_many_deliveries_are_looked_at_as_may_have_been_in_flight():
    """What comes later is new."""
    log = Deduplicator([held(1, 1)], 2)
    assert [log.holds(delivery(mid)) for mid in (8, 9, 1)] == [False, False, False]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 120), st.integers(1, 3))
def test_a_bridge_that_dies_again_and_again_writes_each_message_once(data, messages, payloads):
    """A broker with a window, packet ids that cycle, few different payloads; deaths between any two steps."""
    bodies = [b"%d" % data.draw(st.integers(1, payloads)) for _ in range(messages)]
    queue = deque(range(messages))
    in_flight: deque[tuple[int, int]] = deque()  # (message, packet id)
    log: list[tuple[int, Held]] = []
    mid = run = 0
    while queue or in_flight:
        run += 1
        recognised = Deduplicator([entry for _, entry in log], REACH)
        seq = 0
        again = deque(in_flight)
        life = data.draw(st.integers(0, 25)) if run < 12 else 10_000
        for _ in range(life):
            if not again and (not queue or len(in_flight) >= WINDOW):
                break
            if again:
                message, packet = again.popleft()
            else:
                message, mid = queue.popleft(), mid % IDS + 1
                packet = mid
                in_flight.append((message, packet))
            if not recognised.holds(delivery(packet, bodies[message])):
                if data.draw(st.booleans()) and life < 10_000:
                    continue  # another partition: never stored; nothing behind it is acknowledged
                seq += 1
                log.append((message, held(seq, packet, bodies[message], run)))
            stored = {message for message, _ in log}
            while in_flight and in_flight[0][0] in stored and in_flight[0] not in again:
                if data.draw(st.booleans()) and life < 10_000:
                    break  # the acknowledgement is lost
                in_flight.popleft()
    assert sorted(message for message, _ in log) == list(range(messages))

"""Messages that waited at the broker are distinguished from those that machines send now."""

from bridge.backlog import DRY_S, Backlog


class Broker:
    """A broker that answers each acknowledgement with the next message of its queue, and pings in order."""

    def __init__(self, queue: int, window: int) -> None:
        self.queue = queue
        self.in_flight = 0
        self.window = window

    def sends(self) -> int:
        """Messages that go out now."""
        count = min(self.queue, self.window - self.in_flight)
        self.queue -= count
        self.in_flight += count
        return count


def marked(broker: Broker, live: int, kept_unacked: int = 0) -> tuple[int, int]:
    """How many deliveries are marked backlog and how many not, with `live` new messages in each round."""
    seconds = 0.0
    backlog = Backlog(session_present=True, clock=lambda: seconds)
    waited = fresh = unacked = 0

    def deliver() -> None:
        nonlocal waited, fresh, unacked
        for _ in range(broker.sends()):
            waited, fresh = waited + backlog.active, fresh + (not backlog.active)
            backlog.arrived()
            unacked += 1

    for _ in range(60):
        # acks and ping ──> broker ──> the queue's next messages, and pong ... later: what machines send
        acked = max(0, unacked - kept_unacked)
        unacked -= acked
        broker.in_flight -= acked
        backlog.wants_probe(acked, unacked)
        deliver()
        backlog.answered()
        broker.queue += live
        deliver()
        seconds += DRY_S / 2
    return waited, fresh


def test_a_queue_that_waited_is_backlog_and_what_follows_is_not() -> None:
    """1 000 messages waited; machines go on sending ten in each round."""
    waited, fresh = marked(Broker(queue=1_000, window=100), live=10)
    assert 1_000 <= waited <= 1_150
    assert fresh > 300


def test_it_is_found_out_while_deliveries_are_always_in_flight() -> None:
    """A busy bridge always has unacknowledged messages, but still detects the end of the queue."""
    waited, fresh = marked(Broker(queue=1_000, window=100), live=10, kept_unacked=30)
    assert 1_000 <= waited <= 1_200
    assert fresh > 300


def test_a_bridge_that_never_catches_up_reads_backlog() -> None:
    """Machines fill the queue faster than it is read: everything waited."""
    _, fresh = marked(Broker(queue=1_000, window=100), live=200)
    assert fresh == 0


def test_a_new_session_has_no_backlog() -> None:
    """Without a session nothing can have waited."""
    assert not Backlog(session_present=False).active


def test_an_empty_queue_is_noticed_without_any_message() -> None:
    """A quiet reconnect: the backlog is over after DRY_S."""
    now = [0.0]
    backlog = Backlog(session_present=True, clock=lambda: now[0])
    for seconds, active in ((0, True), (DRY_S / 2, True), (DRY_S, False)):
        now[0] = seconds
        assert backlog.wants_probe(acked=0, unacked=0)
        backlog.answered()
        assert backlog.active is active


def test_a_broker_that_answers_out_of_turn_is_not_believed_at_once() -> None:
    """One answer that overtook the queue's next message does not end the backlog."""
    now = [0.0]
    backlog = Backlog(session_present=True, clock=lambda: now[0])
    for seconds in range(3):
        now[0] = float(seconds)
        assert backlog.wants_probe(acked=2, unacked=0)
        backlog.answered()  # overtook both messages
        assert backlog.active
        assert backlog.wants_probe(acked=2, unacked=0)
        backlog.arrived()
        backlog.arrived()
        backlog.answered()


def test_one_probe_at_a_time() -> None:
    """No second probe before the answer; none while its answer would prove nothing."""
    backlog = Backlog(session_present=True)
    assert not backlog.wants_probe(acked=0, unacked=3)
    assert backlog.wants_probe(acked=2, unacked=1)
    assert not backlog.wants_probe(acked=2, unacked=1)

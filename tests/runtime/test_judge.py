"""When a worker counts as stalled: its status every ten seconds."""

from faust.types import TP

from runtime.group_status import GroupStatus
from runtime.stall import StallDetector, Stalled

A, B = TP("raw", 0), TP("raw", 1)
LIMIT_S = 60.0


class Watched:
    """A worker with two partitions, whose status is read every ten seconds."""

    def __init__(self) -> None:
        self._detector = StallDetector(LIMIT_S)
        self.signs = 0

    def look(
        self,
        positions: dict[TP, int | None],
        *,
        ends: tuple[int, int] = (100, 100),
        member: bool = True,
        free: frozenset[TP] = frozenset(),
        times: int = 1,
    ) -> Stalled | None:
        seen = GroupStatus({A: ends[0], B: ends[1]}, member, None, free)
        for _ in range(times):
            dead = self._detector.after(10, seen, positions, self.signs)
        return dead

    def kafka_is_away(self) -> None:
        self._detector.reset()


def test_lag_without_progress_for_the_limit_is_death():
    """The reason has its position and the end of the log."""
    worker = Watched()
    assert worker.look({A: 40, B: 100}, times=6) is None
    dead = worker.look({A: 40, B: 100})
    assert dead == (
        "watchdog.still",
        {"topic": "raw", "partition": 0, "position": 40, "end": 100, "seconds": 60},
    )


def test_a_partition_that_moves_lives_and_does_not_excuse_its_neighbour():
    """Each partition has its own time."""
    worker = Watched()
    assert all(worker.look({A: 10 + n, B: 50}) is None for n in range(6))
    dead = worker.look({A: 20, B: 50})
    assert dead is not None
    assert dead.facts["partition"] == 1


def test_a_partition_whose_log_is_read_to_its_end_lives():
    """Also if the broker lists an end below what was read; and its time begins when there is work."""
    worker = Watched()
    assert worker.look({A: 100, B: 140}, times=20) is None
    assert worker.look({A: 100}, ends=(101, 100), times=6) is None
    assert worker.look({A: 100}, ends=(101, 100)) is not None


def test_a_worker_that_knows_what_it_waits_for_lives():
    """Each failed attempt at its store is a sign of life."""
    worker = Watched()
    for tries in range(50):
        worker.signs = tries
        assert worker.look({A: 40}) is None
    assert worker.look({A: 40}, times=6) is not None


def test_after_kafka_was_away_it_gets_its_time_anew():
    """Time before Kafka was away does not count."""
    worker = Watched()
    worker.look({A: 40}, times=6)
    worker.kafka_is_away()
    assert worker.look({A: 40}, times=6) is None
    assert worker.look({A: 40}) is not None


def test_rebalances_without_end_are_no_progress():
    """A partition that comes back at the same position counts as not moved in between."""
    worker = Watched()
    for _ in range(3):
        assert worker.look({A: 40}) is None
        assert worker.look({}, member=False) is None
    assert worker.look({A: 40}) is not None


def test_a_partition_that_went_to_another_worker_is_not_ours_to_answer_for():
    """In a stable group it is gone."""
    worker = Watched()
    worker.look({A: 40, B: 40}, times=6)
    assert worker.look({B: 50}) is None


def test_what_is_given_and_never_begun_is_death():
    """The store gives no position, and the worker does not wait for a server."""
    worker = Watched()
    assert worker.look({A: None}, times=6) is None
    dead = worker.look({A: None})
    assert dead is not None
    assert dead.facts["position"] == "?"


def test_a_worker_for_whom_nothing_is_left_lives():
    """There are more workers than partitions."""
    assert Watched().look({}, times=50) is None


def test_a_worker_that_gets_no_part_is_dead():
    """It is not in its group, or has no partition although some are free."""
    for outside in ({"member": False}, {"free": frozenset({A})}):
        worker = Watched()
        assert worker.look({}, times=5, **outside) is None
        dead = worker.look({}, **outside)
        assert dead is not None
        assert dead.key == "watchdog.outside"

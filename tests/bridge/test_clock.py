"""The log's clock."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import CATCH_UP, JUMP_MS, LogClock

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_700_000_000_000


class Computer:
    """A computer whose clocks a test turns."""

    def __init__(self) -> None:
        self.wall = float(START)
        self.steady = 5_000.0
        self.jumps: list[float] = []
        self.clock = LogClock(self.jumps.append, lambda: self.wall, lambda: self.steady)

    def passes(self, ms: float, wall: float | None = None) -> int:
        """Let `ms` pass, in which its wall clock moves by `wall`; the log's time then."""
        self.steady += ms
        self.wall += ms if wall is None else wall
        return self.clock.now()


def test_it_is_the_computers_time() -> None:
    """While the computer's clock behaves, the log's is the same."""
    computer = Computer()
    assert computer.passes(250) == START + 250
    assert computer.passes(MINUTE) == START + 250 + MINUTE
    assert computer.jumps == []


def test_a_small_step_back_is_caught_up_without_standing_still() -> None:
    """After a step of 10 s back, time goes on, slower, until the computer's clock has caught up."""
    computer = Computer()
    before = computer.passes(0)
    computer.passes(0, wall=-10_000)
    assert computer.passes(50_000) == before + int(50_000 * CATCH_UP)
    assert computer.passes(50_000) == computer.wall
    assert computer.jumps == []


def test_a_leap_forwards_is_followed_and_told() -> None:
    """A computer that slept an hour is right when it wakes: the log follows, once, loudly."""
    computer = Computer()
    assert computer.passes(1_000, wall=HOUR) == START + HOUR
    computer.passes(1_000)
    assert computer.jumps == [HOUR - 1_000]


def test_a_leap_backwards_is_evened_out_and_told() -> None:
    """A clock set back by an hour does not take the log with it."""
    computer = Computer()
    computer.passes(0, wall=-HOUR)
    assert computer.passes(MINUTE) == START + MINUTE * CATCH_UP
    assert computer.jumps == [-HOUR]


def test_a_slow_drift_is_no_jump() -> None:
    """A clock that loses a second an hour never alarms anybody."""
    computer = Computer()
    for _ in range(1_000):
        computer.passes(HOUR, wall=HOUR - 1_000)
    assert computer.jumps == []


def test_the_log_goes_on_behind_its_tail() -> None:
    """A log written by a computer that was ten minutes ahead goes on from there."""
    computer = Computer()
    computer.clock.not_before(START + 10 * MINUTE)
    assert computer.passes(0) == START + 10 * MINUTE
    assert computer.jumps == [-10 * MINUTE]


def test_an_older_tail_changes_nothing() -> None:
    """A log whose last record is of yesterday does not hold the clock back."""
    computer = Computer()
    computer.clock.not_before(START - 24 * HOUR)
    assert computer.passes(0) == START
    assert computer.jumps == []


@given(
    st.lists(st.tuples(st.floats(0, 10 * HOUR), st.floats(-10 * HOUR, 10 * HOUR), st.booleans()), max_size=30)
)
def test_it_never_runs_backwards(moves: list[tuple[float, float, bool]]) -> None:
    """Whatever the computer's clock and the log's tail do."""
    computer = Computer()
    seen = []
    for ms, wall, tail in moves:
        if tail:
            computer.clock.not_before(int(computer.wall + wall))
        seen.append(computer.passes(ms, wall))
    assert all(a <= b for a, b in itertools.pairwise(seen))


def test_a_minute_is_the_limit() -> None:
    """Up to 60 s nobody is told."""
    computer = Computer()
    computer.passes(0, wall=JUMP_MS)
    assert computer.jumps == []
    computer.passes(0, wall=JUMP_MS + 1)
    assert len(computer.jumps) == 1

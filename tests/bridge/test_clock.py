"""The log's clock."""

import itertools
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import CONFIRM_MS, JUMP_MS, LEAP_MS, ClockNotice, LogClock
from plant.log_clock import CATCH_UP

SECOND = 1_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY
START = 1_700_000_000_000


class Computer:
    """A computer whose clocks a test sets; its bridge reads them every 5 s."""

    def __init__(self, first_reading: float = 0) -> None:
        self.wall = float(START)
        self.steady = 5_000.0
        self.notices: list[ClockNotice] = []
        self.wall += first_reading
        self.clock = LogClock(self.notices.append, lambda: self.wall, lambda: self.steady)
        self.wall -= first_reading

    def passes(self, ms: float, wall: float | None = None) -> int:
        """Let `ms` pass, in which its wall clock moves by `wall`; the log's time then, read once."""
        self.steady += ms
        self.wall += ms if wall is None else wall
        return self.clock.now()

    def goes_on(self, ms: float) -> int:
        """Let `ms` pass with a reading at each tick, every 5 s."""
        for _ in range(round(ms / (5 * SECOND))):
            now = self.passes(5 * SECOND)
        return now

    def leaps(self, ms: float) -> int:
        """Its wall clock leaps; the log's time, read at once."""
        return self.passes(0, wall=ms)

    def whats(self) -> list[str]:
        return [notice.what for notice in self.notices]


def running(first_reading: float = 0) -> Computer:
    """A computer whose bridge has given out times already."""
    computer = Computer(first_reading)
    computer.passes(0)
    return computer


def test_it_is_the_computers_time() -> None:
    """While the computer's clock is regular, the log's is the same."""
    computer = Computer()
    assert computer.passes(250) == START + 250
    assert computer.passes(MINUTE) == START + 250 + MINUTE
    assert computer.notices == []


def test_one_wrong_reading_changes_nothing() -> None:
    """A year ahead, or an hour back, for a moment: neither then nor later does it change the log's time."""
    #  wall    ────────┐ ┌────────
    #                  └─┘ one reading
    #  log     ───────────────────
    for wrong in (YEAR, -HOUR, 2 * SECOND):
        computer = running()
        assert computer.leaps(wrong) == START
        assert computer.leaps(-wrong) == START
        assert computer.goes_on(HOUR) == START + HOUR


def test_a_leap_forwards_is_followed_once_it_has_held_for_30_s() -> None:
    """Until then time goes on by the monotonic clock; the leap and the following are both reported."""
    #          0      leap      30 s
    #  wall    ──────┐╱─────────────  a year ahead
    #  log     ──────────────────┐╱─
    computer = running()
    assert computer.leaps(YEAR) == START
    assert computer.goes_on(CONFIRM_MS - 5 * SECOND) == START + CONFIRM_MS - 5 * SECOND
    assert computer.notices == [ClockNotice("clock_jump", YEAR)]
    assert computer.goes_on(5 * SECOND) == START + CONFIRM_MS + YEAR
    assert computer.notices == [ClockNotice("clock_jump", YEAR), ClockNotice("clock_followed", YEAR)]


def test_readings_that_disagree_confirm_nothing() -> None:
    """A clock with another offset at each tick is never believed, and reported at most every 30 s."""
    computer = running()
    for number in range(1, 61):
        at = computer.passes(5 * SECOND, wall=5 * SECOND + HOUR)
        assert at == START + number * 5 * SECOND
    assert computer.whats() == ["clock_jump"] * 10


def test_a_wrong_reading_among_those_that_confirm_begins_them_anew() -> None:
    """Back at the right time once, 25 s after the leap: 30 s count from the next reading on."""
    computer = running()
    computer.leaps(HOUR)
    computer.goes_on(25 * SECOND)
    computer.leaps(-HOUR)
    computer.leaps(HOUR)
    assert computer.goes_on(25 * SECOND) == START + 50 * SECOND
    assert computer.goes_on(5 * SECOND) == START + 55 * SECOND + HOUR


def test_many_readings_of_one_moment_are_one() -> None:
    """A thousand messages in a second do not confirm what seven ticks do, nor do two readings in an hour."""
    computer = running()
    computer.leaps(HOUR)
    for _ in range(1_000):
        computer.passes(1)
    assert computer.passes(HOUR) == START + SECOND + HOUR
    assert computer.whats() == ["clock_jump"]


def test_a_machine_that_was_suspended_catches_up() -> None:
    """Its monotonic clock stood still for the night: half a minute after it woke, the log is right."""
    computer = running()
    computer.leaps(8 * HOUR)
    assert computer.goes_on(CONFIRM_MS) == computer.wall
    assert computer.notices[-1] == ClockNotice("clock_followed", 8 * HOUR)


def test_a_machine_whose_monotonic_clock_went_on_is_right_at_once() -> None:
    """A night without a reading is no leap if both clocks agree about it."""
    computer = running()
    assert computer.passes(8 * HOUR) == START + 8 * HOUR
    assert computer.notices == []


def test_a_step_back_is_caught_up_without_standing_still() -> None:
    """Once confirmed, time goes on slower, until the computer's clock has caught up; then both agree."""
    #  wall    ─────┐           ╱
    #               │       ╱
    #  log     ────────────────      from 30 s on at CATCH_UP
    computer = running()
    computer.leaps(-10 * SECOND)
    assert computer.goes_on(CONFIRM_MS - 5 * SECOND) == START + CONFIRM_MS - 5 * SECOND
    slower = computer.goes_on(55 * SECOND) - (START + CONFIRM_MS - 5 * SECOND)
    assert slower == 55 * SECOND * CATCH_UP
    assert computer.goes_on(MINUTE) == computer.wall
    assert computer.notices == []


def test_a_leap_back_is_told() -> None:
    """A clock set back by an hour does not set the log's time back."""
    computer = running()
    computer.leaps(-HOUR)
    assert computer.goes_on(CONFIRM_MS) > START
    assert computer.notices == [ClockNotice("clock_jump", -HOUR), ClockNotice("clock_followed", -HOUR)]


def test_a_slow_drift_is_no_leap() -> None:
    """A clock that loses a second an hour is followed, without a notice."""
    computer = running()
    for _ in range(1_000):
        computer.passes(HOUR, wall=HOUR - LEAP_MS)
    assert computer.clock.now() == computer.wall
    assert computer.notices == []


def test_a_wrong_reading_at_the_start_is_no_anchor() -> None:
    """If the first two readings disagree, the lower one counts; the higher one is followed once confirmed."""
    ahead = running(first_reading=YEAR)
    assert ahead.goes_on(MINUTE) == START + MINUTE
    behind = running(first_reading=-HOUR)
    assert behind.passes(0) == START - HOUR
    assert behind.goes_on(MINUTE) == START + MINUTE


def test_the_log_goes_on_behind_its_tail() -> None:
    """A log written by a computer that was ten minutes ahead goes on from there, slower, and says so."""
    computer = Computer()
    computer.clock.not_before(START + 10 * MINUTE)
    assert computer.passes(0) == START + 10 * MINUTE
    assert computer.passes(MINUTE) == START + 10 * MINUTE + MINUTE * CATCH_UP
    assert computer.notices == [ClockNotice("log_ahead", 10 * MINUTE)]
    assert computer.clock.ahead_ms == 10 * MINUTE - MINUTE * (1 - CATCH_UP)


def test_a_leap_in_doubt_leaves_the_log_behind_and_that_is_told() -> None:
    """The gauge shows both: ahead, and behind."""
    computer = running()
    computer.leaps(HOUR)
    assert computer.clock.ahead_ms == -HOUR


def test_an_older_tail_changes_nothing() -> None:
    """A log whose last record is of yesterday does not hold the clock back."""
    computer = Computer()
    computer.clock.not_before(START - DAY)
    assert computer.passes(0) == START
    assert computer.notices == []


def test_a_minute_is_the_limit() -> None:
    """Up to 60 s it is not reported, but followed after 30 s all the same."""
    computer = running()
    computer.leaps(JUMP_MS)
    assert computer.goes_on(CONFIRM_MS) == computer.wall
    assert computer.notices == []


Moves = Iterable[tuple[float, float, bool]]


@given(
    st.lists(st.tuples(st.floats(0, 10 * HOUR), st.floats(-10 * HOUR, 10 * HOUR), st.booleans()), max_size=30)
)
def test_it_never_runs_backwards(moves: Moves) -> None:
    """Whatever the computer's clock and the log's tail do."""
    computer = Computer()
    seen = []
    for ms, wall, tail in moves:
        if tail:
            computer.clock.not_before(int(computer.wall + wall))
        seen.append(computer.passes(ms, wall))
    assert all(a <= b for a, b in itertools.pairwise(seen))


@given(st.lists(st.floats(-YEAR, YEAR), min_size=1, max_size=20), st.integers(0, 4))
def test_wrong_readings_never_carry_the_log_away(wrong: list[float], right: int) -> None:
    """Whatever single readings say, between right ones every 5 s the log's time is right in the end."""
    computer = running()
    for ms in wrong:
        computer.leaps(ms)
        computer.leaps(-ms)
        for _ in range(right):
            computer.passes(5 * SECOND)
    assert abs(computer.goes_on(MINUTE) - computer.wall) <= LEAP_MS

"""The log's clock: `received_at`, which never runs backwards, whatever the computer's clock does."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from plant.log_clock import CATCH_UP

LEAP_MS = 1_000
"""The computer's clock leapt if it moved so much further than the monotonic clock between two readings."""
CONFIRM_MS = 30_000
CONFIRMATIONS = 6
SPACED_MS = 4_000
"""A leap is believed when CONFIRMATIONS readings at least SPACED_MS apart, over CONFIRM_MS, agree on it. The
ticks read the clock every 5 s."""
JUMP_MS = 60_000  # people are notified


class ClockNotice(NamedTuple):
    """What people must know: the computer's clock leapt, the leap is followed now, or the log is ahead."""

    what: Literal["clock_jump", "clock_followed", "log_ahead"]
    ms: float  # by which the computer's clock leapt (forwards: positive), or the log is ahead


class Leap(NamedTuple):
    """A leap that is not confirmed yet: the clock's new offset, since when, and how many readings agree."""

    offset: float
    since: float
    at: float
    readings: int


def _wall_ms() -> float:
    return time.time() * 1000


def _steady_ms() -> float:
    # Where the system has it, this clock also counts the time in which the machine is suspended.
    return time.clock_gettime(_STEADY) * 1000


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class LogClock:
    """Milliseconds since 1970, anchored to the computer's clock, the monotonic clock and the log's tail.

    It follows the computer's clock as long as that agrees with the monotonic one. A leap, forwards or back,
    is followed once it is confirmed; until then the monotonic clock counts. So one wrong reading changes
    nothing, a clock that was set right is followed 30 s later, and so is that of a machine whose monotonic
    clock stood still while it was suspended. When the computer's clock is behind, or the log's tail ahead of
    it, the log's clock goes on from its present time, at CATCH_UP of real speed, until both agree.

    `notify` is called for differences of more than JUMP_MS.
    """

    def __init__(
        self,
        notify: Callable[[ClockNotice], None],
        wall_ms: Callable[[], float] = _wall_ms,
        steady_ms: Callable[[], float] = _steady_ms,
    ) -> None:
        self._notify = notify
        self._wall_ms = wall_ms
        self._steady_ms = steady_ms
        self._wall = wall_ms()
        self._steady = steady_ms()
        self._offset = self._wall - self._steady
        self._now = 0.0  # no time was given out yet
        self._leap: Leap | None = None
        self._notified_at = -CONFIRM_MS + self._steady

    def now(self) -> int:
        """The time of what is received now."""
        wall, steady = self._wall_ms(), self._steady_ms()
        offset = wall - steady
        if -LEAP_MS <= offset - self._offset <= LEAP_MS:
            self._offset, self._leap = offset, None
        else:
            self._doubt(offset, steady)
        slowly = self._now + (steady - self._steady) * CATCH_UP
        self._wall, self._steady = wall, steady
        self._now = max(steady + self._offset, slowly)
        return int(self._now)

    def not_before(self, tail_ms: int) -> None:
        """Continue from the log's highest record time, if that is ahead."""
        ahead = tail_ms - self.now()
        if ahead > JUMP_MS:
            self._notify(ClockNotice("log_ahead", ahead))
        self._now = max(self._now, float(tail_ms))

    @property
    def ahead_ms(self) -> float:
        """How far the log's time is ahead of the computer's clock; negative: behind a leap in doubt."""
        return self._now - self._wall

    def _doubt(self, offset: float, steady: float) -> None:
        """Handle a reading that disagrees: it is followed once it is confirmed."""
        if not self._now:
            # Two readings disagree before any time was given out, and nothing shows which is right. A log
            # clock that is behind catches up with later readings; one that is ahead would stay ahead.
            self._offset = min(self._offset, offset)
            return
        leap = self._leap
        if leap is None or abs(offset - leap.offset) > LEAP_MS:
            self._leap = Leap(offset, steady, steady, 1)
            if abs(offset - self._offset) > JUMP_MS and steady - self._notified_at >= CONFIRM_MS:
                self._notified_at = steady
                self._notify(ClockNotice("clock_jump", offset - self._offset))
        elif steady - leap.at >= SPACED_MS:
            self._leap = leap = Leap(offset, leap.since, steady, leap.readings + 1)
            if leap.readings >= CONFIRMATIONS and steady - leap.since >= CONFIRM_MS:
                if abs(offset - self._offset) > JUMP_MS:
                    self._notify(ClockNotice("clock_followed", offset - self._offset))
                self._offset, self._leap = offset, None

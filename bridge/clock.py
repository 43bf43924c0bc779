"""The log's clock: `received_at`, which never runs backwards whatever the computer's clock does."""

import time
from collections.abc import Callable

JUMP_MS = 60_000
CATCH_UP = 0.9
"""How fast the log's clock runs while it is ahead of the computer's: slower, never still, so that durations
and silences stay nearly right until both agree again."""


def _wall_ms() -> float:
    return time.time() * 1000


def _steady_ms() -> float:
    return time.monotonic() * 1000


class LogClock:
    """Milliseconds since 1970, anchored to the computer's clock, the monotonic clock and the log's tail.

    It follows the computer's clock forwards. When that one steps back, or the log's tail is ahead of it,
    the log's clock goes on from where it is, at CATCH_UP of real speed, until both agree. A jump of more
    than JUMP_MS calls `on_jump` with its size in ms (positive: the computer's clock leapt forwards).
    """

    def __init__(
        self,
        on_jump: Callable[[float], None],
        wall_ms: Callable[[], float] = _wall_ms,
        steady_ms: Callable[[], float] = _steady_ms,
    ) -> None:
        self._on_jump = on_jump
        self._wall_ms = wall_ms
        self._steady_ms = steady_ms
        self._wall = self._now = wall_ms()
        self._steady = steady_ms()

    def now(self) -> int:
        """The time of what is received now."""
        wall, steady = self._wall_ms(), self._steady_ms()
        elapsed = steady - self._steady
        jump = wall - self._wall - elapsed
        self._wall, self._steady = wall, steady
        self._now = max(wall, self._now + elapsed * CATCH_UP)
        if abs(jump) > JUMP_MS:
            self._on_jump(jump)
        return int(self._now)

    def not_before(self, tail_ms: int) -> None:
        """Go on from the log's highest record time, if that is ahead."""
        if tail_ms - self.now() > JUMP_MS:
            self._on_jump(self._now - tail_ms)
        self._now = max(self._now, float(tail_ms))

"""The clock of a page under test: it begins at a moment of the test's choice, and goes on from there."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.instant import ms_of

PARIS = ZoneInfo("Europe/Paris")


class Clock:
    """Off from this computer's clock, so that what is shown does not depend on when the tests run."""

    def __init__(self, local: str) -> None:
        """`local`: what clocks in Paris show, such as `2025-01-17 13:00`."""
        at = ms_of(datetime.fromisoformat(local).replace(tzinfo=PARIS))
        self.ahead = timedelta(milliseconds=at - time.time_ns() // 1_000_000)

    def now_ms(self) -> int:
        """What it shows now."""
        return time.time_ns() // 1_000_000 + round(self.ahead / timedelta(milliseconds=1))

"""When a line stops and starts again, and why: micro-stops, breakdowns, shift changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from schemas.instant import MINUTE, SECOND, ms_of

SHIFT_HOURS = (6, 14, 22)
MICRO_EVERY_S = 8 * 60.0
BREAKDOWN_EVERY_S = 5 * 3600.0

MICRO_REASONS = (
    "Bouteille tombée",
    "Bourrage convoyeur",
    "Manque de bouchons",
    "Cellule encrassée",
    "Accumulation en aval",
)
BREAKDOWN_REASONS = (
    "Panne étiqueteuse",
    "Casse courroie convoyeur",
    "Défaut variateur remplisseuse",
    "Fuite circuit d'air",
    "Moteur visseuse en défaut",
)
SHIFT_CHANGE = "Changement d'équipe"


@dataclass(frozen=True)
class Stoppage:
    """A stop, from `start` to `end` (ms since 1970, half open)."""

    start: int
    end: int
    reason: str
    planned: bool = False


class Stoppages:
    """The stops of one line, one after the other; times in ms since 1970."""

    def __init__(self, rng: Random, zone: ZoneInfo, start: int) -> None:
        self._rng = rng
        self._zone = zone
        self._micro = start + self._in(MICRO_EVERY_S)
        self._breakdown = start + self._in(BREAKDOWN_EVERY_S)
        self._change = next_shift(zone, start)  # by the plant's clock; the line stops a little off it
        self._shift = self._near(self._change)

    def _in(self, mean_s: float) -> int:
        return int(self._rng.expovariate(1.0 / mean_s) * SECOND)

    def _near(self, change: int) -> int:
        return change + self._rng.randrange(-90, 90) * SECOND

    def following(self, after: int) -> Stoppage:
        """The next stop that begins later than `after`, at which the line runs again."""
        first = min(self._micro, self._breakdown, self._shift)
        start = max(after + 1, first)
        if first == self._shift:
            lasts, reason = self._rng.randrange(60, 240) * SECOND, SHIFT_CHANGE
        elif first == self._breakdown:
            lasts = int(min(25.0, max(4.0, self._rng.lognormvariate(2.2, 0.4))) * MINUTE)
            reason = self._rng.choice(BREAKDOWN_REASONS)
        else:
            lasts = int(min(120.0, max(4.0, self._rng.lognormvariate(3.2, 0.8))) * SECOND)
            reason = self._rng.choice(MICRO_REASONS)
            self._shift = max(self._shift, start + lasts + 10 * SECOND)  # the shift leaves a running line
        end = start + lasts
        while self._shift <= end:
            self._change = next_shift(self._zone, self._change)
            self._shift = self._near(self._change)
        if self._breakdown <= end:
            self._breakdown = end + self._in(BREAKDOWN_EVERY_S)
        if self._micro <= end:
            self._micro = end + self._in(MICRO_EVERY_S)
        return Stoppage(start, end, reason, reason == SHIFT_CHANGE)


def next_shift(zone: ZoneInfo, after: int) -> int:
    """The first shift change later than `after`, in ms since 1970."""
    local = datetime.fromtimestamp(after / SECOND, zone)
    for hour in (*SHIFT_HOURS, SHIFT_HOURS[0] + 24):
        day = local.date() + timedelta(days=hour // 24)
        change = ms_of(datetime(day.year, day.month, day.day, hour % 24, tzinfo=zone))
        if change > after:
            return change
    raise AssertionError("a day has its shift changes")

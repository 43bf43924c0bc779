"""Shifts: which one a point in time belongs to, by the plant's clock."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.instant import MINUTE, ms_of
from schemas.plant import Rules, ShiftRule

_FAR = 2**62


class Shift(NamedTuple):
    """A shift of one day, [start, end) in ms since 1970; outside every shift, `id` and `date` are None."""

    id: str | None
    date: str | None  # the day that it began
    start: int
    end: int


class Shifts:
    """The plant's shifts, with the last answers kept: most questions are about the present one."""

    def __init__(self, rules: Rules) -> None:
        self._shifts = rules.plant.shift
        self._zone = ZoneInfo(rules.time_zone)
        self._known: dict[int, list[Shift]] = {}
        self._last = Shift(None, None, _FAR, _FAR)

    def at(self, ms: int) -> Shift:
        """The shift that a point in time belongs to."""
        last = self._last
        if not last.start <= ms < last.end:
            last = self._last = self._find(ms)
        return last

    def _find(self, ms: int) -> Shift:
        day = datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone).date().toordinal()
        around = sorted((s for d in (day - 1, day, day + 1) for s in self._of_day(d)), key=lambda s: s.start)
        end = _FAR
        start = -_FAR
        for shift in around:
            if shift.start <= ms < shift.end:
                return shift
            if shift.end <= ms:
                start = max(start, shift.end)
            elif shift.start > ms:
                end = min(end, shift.start)
        # Outside every shift; no further than what was looked at.
        return Shift(None, None, max(start, ms - 60 * MINUTE), min(end, ms + 60 * MINUTE))

    def _of_day(self, day: int) -> list[Shift]:
        if day not in self._known:
            if len(self._known) > 100:
                self._known.clear()
            self._known[day] = [self._begin(rule, day) for rule in self._shifts]
        return self._known[day]

    def _begin(self, rule: ShiftRule, ordinal: int) -> Shift:
        day = datetime.fromordinal(ordinal)
        start = day + timedelta(hours=rule.start.hour, minutes=rule.start.minute, seconds=rule.start.second)
        end = day + timedelta(hours=rule.end.hour, minutes=rule.end.minute, seconds=rule.end.second)
        if end <= start:
            end += timedelta(days=1)
        return Shift(rule.name, day.date().isoformat(), self._instant(start), self._instant(end))

    def _instant(self, local: datetime) -> int:
        return ms_of(local.replace(tzinfo=self._zone))

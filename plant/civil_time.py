"""Civil time: converts days and clock times of a time zone to points in time and back.

A clock time that is skipped (spring) is the moment of the jump; of one that comes twice (autumn), the first
counts. So a later clock time is never an earlier point in time, and equal clock times are one point in time.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.instant import DAY, SECOND

_EPOCH = date(1970, 1, 1).toordinal()
_MILLISECOND = timedelta(milliseconds=1)


class Zone:
    """A time zone. Points in time in ms since 1970, days as ordinals, offsets in ms east of UTC."""

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)

    def offset(self, at: int) -> int:
        """How far the clock is ahead of UTC."""
        return _ms(datetime.fromtimestamp(at // SECOND, self._zone).utcoffset())

    def instant(self, day: int, clock: int = 0) -> int:
        """The point in time at which a day's clock shows `clock` (ms since midnight; from 24 hours on: on the
        next day)."""
        local = (day - _EPOCH) * DAY + clock
        shown = datetime.fromordinal(day) + timedelta(milliseconds=clock)
        first = _ms(shown.replace(tzinfo=self._zone).utcoffset())
        second = _ms(shown.replace(tzinfo=self._zone, fold=1).utcoffset())
        if first >= second:
            return local - first
        return self.jumps(local - second, local - first + 1)[0]

    def day(self, at: int) -> int:
        """The civil day: from its first midnight up to that of the next."""
        day = _EPOCH + (at + self.offset(at)) // DAY
        while self.instant(day) > at:
            day -= 1
        while self.instant(day + 1) <= at:  # a clock set back over midnight does not begin yesterday again
            day += 1
        return day

    def jumps(self, start: int, end: int) -> list[int]:
        """When the clock is set forward or back in (start, end)."""
        found = []
        offset, last = self.offset(start), self.offset(end - 1)
        while offset != last:
            before, after = start, end - 1
            while after - before > 1:
                middle = (before + after) // 2
                if self.offset(middle) == offset:
                    before = middle
                else:
                    after = middle
            found.append(after)
            start, offset = after, self.offset(after)
        return found


def _ms(offset: timedelta | None) -> int:
    assert offset is not None
    return offset // _MILLISECOND

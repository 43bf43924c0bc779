"""The plant's calendar: whose shift it is, and whether the line is asked to produce."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date, time
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

from schemas.instant import DAY, SECOND
from schemas.plant import Rules, ShiftRule
from streams.civil import Zone

REMEMBERED = 32  # days
Label = TypeVar("Label")


class Shift(NamedTuple):
    """A stretch [start, end), ms since 1970, of one shift, one civil day and one clock.

    Outside every shift, `id` and `date` are None. `date` is the day that the shift began, `day` the stretch's
    own; both ISO 8601. `offset`: what the line's clock is ahead of UTC, ms.
    """

    id: str | None
    date: str | None
    day: str
    offset: int
    start: int
    end: int


class Demand(NamedTuple):
    """A stretch [start, end), within one civil day, over which the line is asked for the same.

    open: to produce; planned: to stand still, for `reason`; closed: nothing.
    """

    kind: Literal["open", "planned", "closed"]
    reason: str | None
    start: int
    end: int


class Calendars:
    """The calendars of a generation's lines; lines of the same rules share one."""

    def __init__(self, rules: Rules) -> None:
        self._others = Calendar(rules.plant.shift, Zone(rules.time_zone))
        self._lines: dict[str, Calendar] = {}

    def of(self, line_id: str) -> "Calendar":
        """The calendar of a line."""
        return self._lines.get(line_id, self._others)


class _Day(NamedTuple):
    shifts: list[Shift]
    demands: list[Demand]


class Calendar:
    """One calendar, with the last answers kept: most questions are about the present stretch."""

    def __init__(self, shifts: Iterable[ShiftRule], zone: Zone) -> None:
        self._rules = tuple(shifts)
        self._zone = zone
        self._days: dict[int, _Day] = {}
        self._shift = Shift(None, None, "", 0, 0, 0)
        self._demand = Demand("open", None, 0, 0)

    def shift(self, at: int) -> Shift:
        """The longest stretch around a point in time with one shift, one civil day and one clock."""
        last = self._shift
        if not last.start <= at < last.end:
            found = self._day(at).shifts
            last = self._shift = found[bisect_right(found, at, key=_start) - 1]
        return last

    def demand(self, at: int) -> Demand:
        """The longest stretch around a point in time, of its civil day, with one demand."""
        last = self._demand
        if not last.start <= at < last.end:
            found = self._day(at).demands
            last = self._demand = found[bisect_right(found, at, key=_start) - 1]
        return last

    def _day(self, at: int) -> _Day:
        day = self._zone.day(at)
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= REMEMBERED:
                self._days.clear()
            known = self._days[day] = self._drawn(day)
        return known

    def _drawn(self, day: int) -> _Day:
        zone = self._zone
        start, end, name = zone.instant(day), zone.instant(day + 1), date.fromordinal(day).isoformat()
        begun = [self._begin(rule, of) for of in (day - 1, day) for rule in self._rules]

        def label(at: int) -> tuple[str | None, str | None, str, int]:
            on = next(((rule, of) for since, until, rule, of in begun if since <= at < until), (None, None))
            return *on, name, zone.offset(at)

        cuts = [cut for since, until, *_ in begun for cut in (since, until)]
        shifts = _stretches(start, end, [*cuts, *zone.jumps(start, end)], label)
        return _Day(
            [Shift(*what, since, until) for what, since, until in shifts], [Demand("open", None, start, end)]
        )

    def _begin(self, rule: ShiftRule, day: int) -> tuple[int, int, str, str]:
        start, end = _clock(rule.start), _clock(rule.end)
        end += DAY if end <= start else 0
        name = date.fromordinal(day).isoformat()
        return self._zone.instant(day, start), self._zone.instant(day, end), rule.name, name


def _start(stretch: Shift | Demand) -> int:
    return stretch.start


def _clock(of: time) -> int:
    return ((of.hour * 60 + of.minute) * 60 + of.second) * SECOND


def _stretches(
    start: int, end: int, cuts: Iterable[int], label: Callable[[int], Label]
) -> list[tuple[Label, int, int]]:
    """The stretches of [start, end) with one label each; it can change at the cuts only."""
    found: list[tuple[Label, int, int]] = []
    points = sorted({start, end, *(cut for cut in cuts if start < cut < end)})
    for since, until in pairwise(points):
        what = label(since)
        if found and found[-1][0] == what:
            since = found.pop()[1]  # noqa: PLW2901
        found.append((what, since, until))
    return found

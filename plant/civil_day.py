"""A civil day by a calendar's rules: intervals of one shift each, and intervals of one demand each.

For clock times that are skipped or come twice see `plant.civil_time`.
"""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple, TypeVar

from msgspec import Struct

from plant.calendar_rules import CalendarRules
from plant.civil_time import Zone
from plant.week import Span
from schemas.instant import DAY

Kind = Literal["open", "planned", "closed"]
Label = TypeVar("Label")


class Shift(Struct, frozen=True, gc=False):
    """An interval [start, end), ms since 1970, of one shift, one civil day and one UTC offset.

    Outside every shift, `id` and `date` are None. `date` is the day on which the shift began, `day` the
    interval's own; both ISO 8601. `offset`: how far the line's clock is ahead of UTC, ms.
    """

    id: str | None
    date: str | None
    day: str
    offset: int
    start: int
    end: int


class Demand(Struct, frozen=True, gc=False):
    """An interval [start, end), within one civil day, with one demand on a line.

    open: it is to produce; planned: it is to stand still, for `reason`; closed: nothing is demanded.
    """

    kind: Kind
    reason: str | None
    start: int
    end: int


class Day(NamedTuple):
    """A civil day's intervals, in order."""

    shifts: list[Shift]
    demands: list[Demand]


class _Recurring(NamedTuple):
    """A weekly rule, in the form from which its occurrences on a day are computed."""

    name: str
    days: frozenset[int]  # weekdays on which it begins
    begins: int  # ms since midnight, by the clock
    lasts: int  # ms
    elapsed: bool  # whether `lasts` is elapsed time, not clock time


class _Occurrence(NamedTuple):
    start: int
    end: int
    name: str
    day: int  # on which it began


class CalendarPeriod:
    """A calendar's rules, which hold in [since, until)."""

    def __init__(self, since: int, rules: CalendarRules, until: int) -> None:
        self._since, self._until = since, until
        self._zone = Zone(rules.time_zone)
        self._shifts = [_recurring(rule.name, rule.spans(), elapsed=False) for rule in rules.shift]
        self._opening = [_recurring("", rule.spans(), elapsed=False) for rule in rules.opening]
        self._planned = [
            _recurring(rule.name, rule.spans(rules.opening), elapsed=rule.duration_min is not None)
            for rule in rules.planned
        ]
        self._holidays = frozenset(day.toordinal() for day in rules.holidays)

    def day(self, at: int) -> Day:
        """The civil day of a point in time, cut to the time in which these rules hold."""
        day = self._zone.day(at)
        start = max(self._zone.instant(day), self._since)
        end = min(self._zone.instant(day + 1), self._until)
        return Day(self._shifts_of(day, start, end), self._demands_of(day, start, end))

    def _shifts_of(self, day: int, start: int, end: int) -> list[Shift]:
        begun = self._around(self._shifts, day)
        own = date.fromordinal(day).isoformat()

        def label(at: int) -> tuple[str | None, str | None, str, int]:
            on = _at(begun, at)
            if on is None:
                return None, None, own, self._zone.offset(at)
            return on.name, date.fromordinal(on.day).isoformat(), own, self._zone.offset(at)

        cuts = [*_ends(begun), *self._zone.jumps(start, end)]
        return [Shift(*what, *span) for what, *span in _stretches(start, end, cuts, label)]

    def _demands_of(self, day: int, start: int, end: int) -> list[Demand]:
        opening, planned = self._around(self._opening, day), self._around(self._planned, day)

        def label(at: int) -> tuple[Kind, str | None]:
            if day in self._holidays or (self._opening and _at(opening, at) is None):
                return "closed", None
            stop = _at(planned, at)
            return ("open", None) if stop is None else ("planned", stop.name)

        cuts = [*_ends(opening), *_ends(planned)]
        return [Demand(*what, *span) for what, *span in _stretches(start, end, cuts, label)]

    def _around(self, rules: list[_Recurring], day: int) -> list[_Occurrence]:
        """Occurrences that may reach into a day, from two days before on: elapsed time can be an hour longer
        than clock time."""
        found = []
        for rule in rules:
            for on in (day - 2, day - 1, day):
                if date.fromordinal(on).weekday() in rule.days:
                    start = self._zone.instant(on, rule.begins)
                    by_clock = self._zone.instant(on, rule.begins + rule.lasts)
                    found.append(
                        _Occurrence(start, start + rule.lasts if rule.elapsed else by_clock, rule.name, on)
                    )
        return found


def _recurring(name: str, spans: list[Span], *, elapsed: bool) -> _Recurring:
    days = frozenset(span.start // DAY for span in spans)
    return _Recurring(name, days, spans[0].start % DAY, spans[0].end - spans[0].start, elapsed)


def _at(occurrences: Iterable[_Occurrence], at: int) -> _Occurrence | None:
    """The occurrence that contains a point in time; of several, the first in the plant file."""
    return next((each for each in occurrences if each.start <= at < each.end), None)


def _ends(occurrences: Iterable[_Occurrence]) -> list[int]:
    return [cut for each in occurrences for cut in (each.start, each.end)]


def _stretches(
    start: int, end: int, cuts: Iterable[int], label: Callable[[int], Label]
) -> list[tuple[Label, int, int]]:
    """The intervals of [start, end) with one label each; labels can change at the cuts only."""
    found: list[tuple[Label, int, int]] = []
    points = sorted({start, end, *(cut for cut in cuts if start < cut < end)})
    for since, until in pairwise(points):
        what = label(since)
        if found and found[-1][0] == what:
            found[-1] = (what, found[-1][1], until)
        else:
            found.append((what, since, until))
    return found

"""The plant's calendar: which shift it is, and whether a line is open, in a planned stop or closed.

Pure: the answer follows from a point in time and the rules. A day is computed when it is first asked about,
and cached.
"""

from bisect import bisect_right
from typing import Generic, TypeVar

from plant.calendar_rules import CalendarRules
from plant.civil_day import CalendarPeriod, Demand, Shift
from plant.rules import Rules, Timeline

__all__ = ["Calendar", "Calendars", "Demand", "Shift"]

NEVER = 2**62
REMEMBERED = 64  # cached days of each calendar: after an outage of some weeks, each line asks for all of it
Period = TypeVar("Period", Shift, Demand)


class Calendars:
    """The calendars of a generation's lines; lines with equal calendars share one object."""

    def __init__(self, rules: Rules) -> None:
        self._known: dict[tuple[object, ...], Calendar] = {}
        self._others = self._calendar(rules.timeline(None))
        self._lines = {line_id: self._calendar(rules.timeline(line_id)) for line_id in rules.named}

    def of(self, line_id: str) -> "Calendar":
        """The calendar of a line."""
        return self._lines.get(line_id, self._others)

    def _calendar(self, timeline: Timeline) -> "Calendar":
        changes: list[tuple[int, tuple[object, ...], CalendarRules]] = []
        for start, rules in zip(*timeline, strict=True):
            # A change of `window_s` counts, too: no window may reach over it or replace another one.
            key = (rules.window_s, *(getattr(rules, name) for name in CalendarRules.model_fields))
            if not changes or changes[-1][1] != key:  # a change of other rules ends no interval
                changes.append((start, key, rules))
        same = tuple((start, key) for start, key, _ in changes)
        if same not in self._known:
            self._known[same] = Calendar([(start, rules) for start, _, rules in changes])
        return self._known[same]


class Calendar:
    """One calendar; the last answers are kept, as most questions are about the present interval."""

    def __init__(self, changes: list[tuple[int, CalendarRules]]) -> None:
        """`changes`: rules, each with the point in time from which they hold; the first have always held."""
        self._starts = [start for start, _ in changes]
        ends = [*self._starts[1:], NEVER]
        self._rules = [CalendarPeriod(*change, end) for change, end in zip(changes, ends, strict=True)]
        self._shift = Shift(None, None, "", 0, NEVER, NEVER)
        self._demand = Demand("open", None, NEVER, NEVER)
        self._forget()

    def shift(self, at: int) -> Shift:
        """The longest interval around a point in time with one shift, one civil day and one UTC offset."""
        last = self._shift
        if not last.start <= at < last.end:
            self._compute(at)
            last = self._shift = self._shifts.at(at)
        return last

    def demand(self, at: int) -> Demand:
        """The longest interval around a point in time, within its civil day, with one demand."""
        last = self._demand
        if not last.start <= at < last.end:
            self._compute(at)
            last = self._demand = self._demands.at(at)
        return last

    def _compute(self, at: int) -> None:
        if self._shifts.holds(at):
            return
        if self._days == REMEMBERED:
            self._forget()
        day = self._rules[bisect_right(self._starts, at) - 1].day(at)
        self._shifts.put(day.shifts)
        self._demands.put(day.demands)
        self._days += 1

    def _forget(self) -> None:
        self._days = 0
        self._shifts: _Computed[Shift] = _Computed()
        self._demands: _Computed[Demand] = _Computed()


class _Computed(Generic[Period]):
    """The intervals of the computed days, in order; days between them may be missing."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._periods: list[Period] = []

    def at(self, at: int) -> Period:
        """The interval that contains a point in time of a computed day."""
        return self._periods[bisect_right(self._starts, at) - 1]

    def holds(self, at: int) -> bool:
        """Whether the point's day was computed."""
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and at < self._periods[index].end

    def put(self, day: list[Period]) -> None:
        """Add the intervals of a day."""
        index = bisect_right(self._starts, day[0].start)
        self._starts[index:index] = [interval.start for interval in day]
        self._periods[index:index] = day

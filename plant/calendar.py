"""The plant's calendar: whose shift it is, and what is asked of a line.

Pure: a point in time and the rules give the answer. A day is drawn when it is first asked about, and kept.
"""

from bisect import bisect_right
from typing import Generic, TypeVar

from plant.calendar_rules import CalendarRules
from plant.civil_day import Demand, InForce, Shift
from plant.rules import Rules, Timeline

__all__ = ["Calendar", "Calendars", "Demand", "Shift"]

NEVER = 2**62
REMEMBERED = 64  # days of each calendar: of an outage of some weeks, each line asks for all
Period = TypeVar("Period", Shift, Demand)


class Calendars:
    """The calendars of a generation's lines; lines with the same one share it."""

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
            # Of `window_s`, too: no window reaches over its change, none takes the place of another.
            key = (rules.window_s, *(getattr(rules, name) for name in CalendarRules.model_fields))
            if not changes or changes[-1][1] != key:  # a change of other rules ends no stretch
                changes.append((start, key, rules))
        same = tuple((start, key) for start, key, _ in changes)
        if same not in self._known:
            self._known[same] = Calendar([(start, rules) for start, _, rules in changes])
        return self._known[same]


class Calendar:
    """One calendar, with the last answers kept: most questions are about the present stretch."""

    def __init__(self, changes: list[tuple[int, CalendarRules]]) -> None:
        """A calendar whose rules hold each from a point in time on, the first ones from ever."""
        self._starts = [start for start, _ in changes]
        ends = [*self._starts[1:], NEVER]
        self._rules = [InForce(*change, end) for change, end in zip(changes, ends, strict=True)]
        self._shift = Shift(None, None, "", 0, NEVER, NEVER)
        self._demand = Demand("open", None, NEVER, NEVER)
        self._forget()

    def shift(self, at: int) -> Shift:
        """The longest stretch around a point in time with one shift, one civil day and one clock."""
        last = self._shift
        if not last.start <= at < last.end:
            self._draw(at)
            last = self._shift = self._shifts.at(at)
        return last

    def demand(self, at: int) -> Demand:
        """The longest stretch around a point in time, of its civil day, over which the same is asked."""
        last = self._demand
        if not last.start <= at < last.end:
            self._draw(at)
            last = self._demand = self._demands.at(at)
        return last

    def _draw(self, at: int) -> None:
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
        self._shifts: _Drawn[Shift] = _Drawn()
        self._demands: _Drawn[Demand] = _Drawn()


class _Drawn(Generic[Period]):
    """The stretches of the days that were drawn, in order; between them may be days that were not."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._periods: list[Period] = []

    def at(self, at: int) -> Period:
        """The stretch that holds a point in time of a day that was drawn."""
        return self._periods[bisect_right(self._starts, at) - 1]

    def holds(self, at: int) -> bool:
        """Whether the point's day was drawn."""
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and at < self._periods[index].end

    def put(self, day: list[Period]) -> None:
        """Add the stretches of a day."""
        index = bisect_right(self._starts, day[0].start)
        self._starts[index:index] = [stretch.start for stretch in day]
        self._periods[index:index] = day

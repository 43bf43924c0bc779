"""The plant's calendar: whose shift it is, and what is asked of a line.

Pure: a point in time and the rules give the answer. A day is drawn when it is first asked about, and kept.
"""

from bisect import bisect_right

from schemas.calendar import CalendarRules
from schemas.plant import Rules, Timeline
from streams.civil_day import Day, Demand, InForce, Shift

__all__ = ["Calendar", "Calendars", "Demand", "Shift"]

NEVER = 2**62


class Calendars:
    """The calendars of a generation's lines; lines with the same one share it."""

    def __init__(self, rules: Rules) -> None:
        self._known: dict[tuple[object, ...], Calendar] = {}
        self._others = self._calendar(rules.timeline(""))
        self._lines = {line_id: self._calendar(rules.timeline(line_id)) for line_id in rules.named}

    def of(self, line_id: str) -> "Calendar":
        """The calendar of a line."""
        return self._lines.get(line_id, self._others)

    def _calendar(self, timeline: Timeline) -> "Calendar":
        changes: list[tuple[int, tuple[object, ...], CalendarRules]] = []
        for start, rules in zip(*timeline, strict=True):
            key = tuple(getattr(rules, name) for name in CalendarRules.model_fields)
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

    def shift(self, at: int) -> Shift:
        """The longest stretch around a point in time with one shift, one civil day and one clock."""
        last = self._shift
        if not last.start <= at < last.end:
            found = self._day(at).shifts
            last = self._shift = found[bisect_right(found, at, key=_start) - 1]
        return last

    def demand(self, at: int) -> Demand:
        """The longest stretch around a point in time, of its civil day, over which the same is asked."""
        last = self._demand
        if not last.start <= at < last.end:
            found = self._day(at).demands
            last = self._demand = found[bisect_right(found, at, key=_start) - 1]
        return last

    def _day(self, at: int) -> Day:
        return self._rules[bisect_right(self._starts, at) - 1].day(at)


def _start(stretch: Shift | Demand) -> int:
    return stretch.start

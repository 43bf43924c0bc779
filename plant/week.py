"""Rules that repeat every week, on given days, between two clock times."""

from collections.abc import Iterable, Sequence
from datetime import time
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AfterValidator, Field, model_validator

from plant.strict import StrictRules
from schemas.instant import DAY, MINUTE, SECOND
from schemas.payloads import Text

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
WEEK = 7 * DAY


def _local(clock: time) -> time:
    if clock.tzinfo is not None:
        raise ValueError("expected the line's own clock, as 06:00:00, without an offset")
    return clock


def _any(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if not days:
        raise ValueError("name at least one of mon, tue, wed, thu, fri, sat, sun")
    return days


Clock = Annotated[time, AfterValidator(_local)]
Days = Annotated[tuple[Weekday, ...], AfterValidator(_any)]


class Span(NamedTuple):
    """[start, end) in a week without clock changes, ms since its Monday; may reach into the next week."""

    start: int
    end: int


class Weekly(StrictRules):
    """From `start` to `end` by the line's clock; an end at or before the start is on the next day."""

    days: Days = WEEKDAYS  # on which it begins
    start: Clock
    end: Clock

    @property
    def begins(self) -> int:
        """`start`, ms since midnight."""
        return since_midnight(self.start)

    @property
    def lasts(self) -> int:
        """From start to end on the clock, ms."""
        return (since_midnight(self.end) - self.begins) % DAY or DAY

    def spans(self) -> list[Span]:
        """The week's occurrences."""
        return [_span(day, self.begins, self.lasts) for day in weekdays(self.days)]


class ShiftRule(Weekly):
    """A shift. Its date is the day on which it begins."""

    name: Text


class OpeningRule(Weekly):
    """When the line is to produce."""


class PlannedRule(StrictRules):
    """A planned stop: a break, cleaning.

    Without `days`, it is on every day on which the line is open when it begins. `end` is by the clock,
    `duration_min` by elapsed time: they differ in the two nights in which the clocks change.
    """

    name: Text
    days: Days | None = None
    start: Clock
    end: Clock | None = None
    duration_min: float | None = Field(None, gt=0, le=24 * 60)

    @model_validator(mode="after")
    def _one_end(self) -> "PlannedRule":
        if (self.end is None) == (self.duration_min is None):
            raise ValueError("give it an end, or a duration_min")
        return self

    @property
    def begins(self) -> int:
        """`start`, ms since midnight."""
        return since_midnight(self.start)

    @property
    def lasts(self) -> int:
        """From its start to its end, ms."""
        if self.duration_min is not None:
            return round(self.duration_min * MINUTE)
        assert self.end is not None
        return (since_midnight(self.end) - self.begins) % DAY or DAY

    def spans(self, opening: Sequence[OpeningRule]) -> list[Span]:
        """The week's occurrences."""
        if self.days is not None:
            return [_span(day, self.begins, self.lasts) for day in weekdays(self.days)]
        every = [_span(day, self.begins, self.lasts) for day in range(7)]
        open_ = union(opening)
        return [span for span in every if not opening or within(Span(span.start, span.start + 1), open_)]


def since_midnight(clock: time) -> int:
    """A clock time in ms since midnight; fractions of a second are cut off."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND


def weekdays(days: Iterable[str]) -> list[int]:
    """The days as numbers, in order; `mon` is 0."""
    return sorted({WEEKDAYS.index(day) for day in days})


def weekday(span: Span) -> str:
    """The name of the day on which it begins."""
    return WEEKDAYS[span.start % WEEK // DAY]


def overlap(spans: Iterable[tuple[Span, str]]) -> tuple[tuple[Span, str], tuple[Span, str]] | None:
    """The first two named spans that overlap, within the week or across its end, the earlier one first."""
    ordered = sorted(spans)
    if not ordered:
        return None
    first, name = ordered[0]
    ordered.append((Span(first.start + WEEK, first.end + WEEK), name))
    return next((pair for pair in pairwise(ordered) if pair[1][0].start < pair[0][0].end), None)


def union(rules: Iterable[Weekly]) -> list[Span]:
    """The time that the rules cover, from the week before to the week after, adjoining spans merged."""
    found: list[Span] = []
    spans = [Span(s.start + k, s.end + k) for rule in rules for s in rule.spans() for k in (-WEEK, 0, WEEK)]
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def within(span: Span, covered: Iterable[Span]) -> bool:
    """Whether a span of this week lies within one of the covered spans."""
    return any(each.start <= span.start and span.end <= each.end for each in covered)


def _span(day: int, begins: int, lasts: int) -> Span:
    return Span(day * DAY + begins, day * DAY + begins + lasts)

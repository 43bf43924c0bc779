"""Planned time that operators announce or declare: intervals [start, end) in ms, and their union."""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.frozen import Interval
from schemas.instant import DAY
from schemas.state import Stop, StopHistory

Intervals = tuple[Interval, ...]
"""Intervals [start, end) of time in ms, disjoint and in order."""

OPEN = 2**53 - 1  # ms; the end of a stop that lasts
REMEMBERED = (
    7 * DAY
)  # after its end, an announced stop is forgotten, unless time around it is still to be judged


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time as disjoint intervals, in order; those that touch are one.

    ├─────┤      ├──┤
       ├──────┤  ├────┤        ├┤
    ├─────────┤  ├────┤        ├┤
    """
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> tuple[Interval, ...]:
    """The time of the one that is not in the other.

    ├──────────────┤  ├────┤
        ├──┤  ├──────────┤
    ├───┤  ├──┤          ├─┤
    """
    left: list[Interval] = []
    others = union(taken)
    for start, end in union(intervals):
        at = start
        for other_start, other_end in others:
            if other_end <= at or other_start >= end:
                continue
            if other_start > at:
                left.append((at, other_start))
            at = other_end
        if at < end:
            left.append((at, end))
    return tuple(left)


def planned_time(history: StopHistory, stop: Stop | None) -> tuple[Interval, ...]:
    """All planned time that is remembered: announced stops, and stops that were declared planned."""
    announced = [(plan.start, plan.end) for plan in history.plans]
    declared = [(past.stop.start, past.end) for past in history.stops if past.stop.planned]
    if stop is not None and stop.planned:
        declared.append((stop.start, OPEN))
    return union([*announced, *declared])


def forgotten(history: StopHistory, stop: Stop | None, now: int, judged: int) -> StopHistory:
    """What is announced, without what is long past.

    Args:
        history: what operators said.
        stop: the open stop: it is judged on all of its time once it ends.
        now: ms.
        judged: up to then (ms) the line's time is charged: later time is still to be judged.
    """
    kept = min(now - REMEMBERED, judged, *([stop.start] if stop is not None else []))
    history = replace(history, plans=tuple(plan for plan in history.plans if plan.end > kept))
    return replace(history, planned=planned_time(history, stop))


def touch(one: Iterable[Interval], start: int, end: int) -> bool:
    """Whether any of the intervals has time in [start, end), or is around it where that is empty."""
    return any(begin < max(end, start + 1) and start < until for begin, until in one)

"""Planned time that operators announce or declare: intervals [start, end) in ms, and their union."""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.frozen import Interval
from schemas.instant import DAY
from schemas.state import Stop, StopHistory

Intervals = tuple[Interval, ...]
"""Intervals [start, end) of time in ms, disjoint and in order."""

OPEN = 2**53 - 1  # ms; stands for the end of an open stop
REMEMBERED = 7 * DAY  # after its end a plan is forgotten, unless time within it is still to be charged


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
    """The time in `intervals` that is not in `taken`.

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
    """All planned time that is remembered: plans, and stops that were declared planned."""
    announced = [(plan.start, plan.end) for plan in history.plans]
    declared = [(past.stop.start, past.end) for past in history.stops if past.stop.planned]
    if stop is not None and stop.planned:
        declared.append((stop.start, OPEN))
    return union([*announced, *declared])


def forgotten(history: StopHistory, stop: Stop | None, now: int, charged: int) -> StopHistory:
    """The history without plans that are long past.

    Args:
        history: the line's.
        stop: the open stop: once it ends, its category depends on all of its time.
        now: ms.
        charged: up to then (ms) the line's time is charged: plans of later time are still needed.
    """
    kept = min(now - REMEMBERED, charged, *([stop.start] if stop is not None else []))
    history = replace(history, plans=tuple(plan for plan in history.plans if plan.end > kept))
    return replace(history, planned=planned_time(history, stop))


def touch(one: Iterable[Interval], start: int, end: int) -> bool:
    """Whether any of the intervals overlaps [start, end), or contains `start` if that is empty."""
    return any(begin < max(end, start + 1) and start < until for begin, until in one)

"""Required time: when a line that stands still should run, by its calendar and operators' planned time."""

from rules.record_context import RecordContext
from rules.stops.planned import Intervals


def kind_of_time(at: int, planned: Intervals, context: RecordContext) -> tuple[str, int]:
    """The kind of time at a point (ms) for a line that stands still, and up to when that holds.

    `open`: the line should run. `planned` or `closed`: by the calendar, or `planned` by operators.
    """
    demand = context.demand(at)
    if demand.kind != "open":
        return demand.kind, demand.end
    bound = demand.end
    for start, end in planned:
        if start <= at < end:
            return "planned", min(bound, end)
        if at < start:
            return "open", min(bound, start)
    return "open", bound


def required(start: int, end: int, planned: Intervals, context: RecordContext) -> Intervals:
    """The parts of [start, end) in which a line that stands still should run."""
    parts: list[tuple[int, int]] = []
    at = start
    while at < end:
        kind, bound = kind_of_time(at, planned, context)
        bound = min(bound, end)
        if kind == "open":
            parts.append((at, bound))
        at = bound
    return tuple(parts)


def excused_until(at: int, end: int, planned: Intervals, context: RecordContext) -> int:
    """From `at` on, the first point at which a line that stands still should run.

    If there is none before `end`: a point at `end` or later before which there is none either.
    """
    while at < end:
        kind, bound = kind_of_time(at, planned, context)
        if kind == "open":
            break
        at = bound
    return at


def is_required(at: int, planned: Intervals, context: RecordContext) -> bool:
    """Whether the line should run at a point in time."""
    return kind_of_time(at, planned, context)[0] == "open"

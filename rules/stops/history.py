"""The stops that a line remembers: what operators may still speak of, and what its past is judged by."""

from collections.abc import Iterable

from msgspec.structs import replace

from rules.kpi.remembered import Of
from rules.stops import planned
from schemas.frozen import latest
from schemas.state import MAX_STOPS, MAX_STOPS_SIZE, LineState, PastStop, Stop, StopHistory


def with_past_stop(history: StopHistory, past: PastStop, open_: Stop | None) -> StopHistory:
    """With a stop that ended."""
    history = replace(history, stops=latest((*history.stops, past), MAX_STOPS, MAX_STOPS_SIZE))
    if not past.stop.planned:
        return history
    return replace(history, planned=planned.planned_time(history, open_))


def replace_past_stop(draft: LineState, index: int, past: PastStop) -> None:
    known = draft.stop_history.stops
    stops = latest((*known[:index], past, *known[index + 1 :]), MAX_STOPS, MAX_STOPS_SIZE)
    draft.stop_history = replace(draft.stop_history, stops=stops)


def order_of(stop: Stop) -> Of:
    """The order that ran when the stop began."""
    return stop.order_number, stop.product


def stood(state: LineState, since: int, until: int) -> int:
    """For how long (ms) of that time the line is known to have stood still."""
    stops = [(past.stop, past.end) for past in state.stop_history.stops]
    if state.stop is not None:
        stops.append((state.stop, until))
    return sum(
        max(min(end, until) - max(stop.start, since), 0)
        for stop, end in stops
        if stop.category != "no_signal"
    )


def was_silent(past: Iterable[PastStop], at: int) -> bool:
    """Whether what a line made before `at` (ms) was made while it had no signal."""
    return any(each.stop.category == "no_signal" and each.stop.start < at <= each.end for each in past)

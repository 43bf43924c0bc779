"""The latest stops of a line: operators may still change them, and late messages are judged by them."""

from collections.abc import Iterable

from msgspec.structs import replace

from rules.kpi.remembered import Of
from rules.stops import planned
from schemas.frozen import latest
from schemas.state import MAX_STOPS, MAX_STOPS_SIZE, LineState, PastStop, Stop, StopHistory


def with_past_stop(history: StopHistory, past: PastStop, open_: Stop | None) -> StopHistory:
    """The history with a stop that has ended; `open_`: the line's stop that is open now, if any."""
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


def stopped_time(state: LineState, since: int, until: int) -> int:
    """For how long (ms) in [since, until) the line is known to have stood still."""
    stops = [(past.stop, past.end) for past in state.stop_history.stops]
    if state.stop is not None:
        stops.append((state.stop, until))
    return sum(
        max(min(end, until) - max(stop.start, since), 0)
        for stop, end in stops
        if stop.category != "no_signal"
    )


def had_no_signal(past: Iterable[PastStop], at: int) -> bool:
    """Whether pieces of a message of `at` (ms) were made while the line had no signal."""
    return any(each.stop.category == "no_signal" and each.stop.start < at <= each.end for each in past)

"""Stops: a line that says it is not running, until it says it is; a line that says nothing any more."""

from msgspec import Struct
from msgspec.structs import replace

from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import stop_row
from rules.stops.planned import Intervals
from rules.stops.required_time import is_required, required
from schemas.events import DowntimeCategory
from schemas.ids import uuid_of
from schemas.instant import SECOND
from schemas.state import Mode, Order, PastStop, Stop

_CATEGORY: dict[Mode, DowntimeCategory] = {"stopped": "unplanned", "no_signal": "no_signal"}


class StateChange(Struct, frozen=True, gc=False):
    """From `at` (ms) on, the line is in `mode`."""

    mode: Mode
    at: int
    reason: str | None = None


def on_state_change(
    stop: Stop | None, change: StateChange, order: Order | None, planned: Intervals, context: RecordContext
) -> tuple[Stop | None, PastStop | None, list[RowUpdate]]:
    """Open, keep or close the line's stop.

    A stop opens when the line is not running, `no_signal` when a running line falls silent; silence leaves a
    stop open. Both end when the line says otherwise.

    Args:
        stop: the open stop, if any.
        change: what the line is from now on.
        order: the running order, if any.
        planned: intervals in which a stop is planned, beside those of the calendar.
        context: the record.
    Returns:
        The stop after it, the one that ended, and the rows that change.
    """
    updates = []
    ended: PastStop | None = None
    wanted = _CATEGORY.get(change.mode)
    stops_after_silence = stop is not None and stop.category == "no_signal" and wanted == "unplanned"
    if stop is not None and (wanted is None or stops_after_silence):
        ended = _ended(stop, change.at, planned, context)
        updates.append(stop_row.past_row(ended, context))
        stop = None
    if stop is None and wanted is not None:
        expected = wanted == "no_signal" or is_required(change.at, planned, context)
        stop = Stop(
            id=uuid_of("downtime", context.event_id, wanted),
            category=wanted if expected else "planned",
            start=change.at,
            created_at=context.received_at,
            reason=change.reason,
            order_number=order.number if order else None,
            product=order.product if order else None,
            shift_id=context.shift(change.at).id,
        )
        updates.append(stop_row.row(stop, context))
    elif stop is not None:
        stop, update = with_reason(stop, change.reason, context)
        updates += update
    return stop, ended, updates


def unplanned(stop: Stop, context: RecordContext) -> tuple[Stop, list[RowUpdate]]:
    """A stop that was planned and has lasted longer than that."""
    stop = replace(stop, category="unplanned")
    return stop, [stop_row.row(stop, context)]


def with_reason(stop: Stop, reason: str | None, context: RecordContext) -> tuple[Stop, list[RowUpdate]]:
    """Tell an open stop's reason: the first one stays."""
    if reason is None or stop.reason is not None:
        return stop, []
    stop = replace(stop, reason=reason)
    return stop, [stop_row.row(stop, context)]


def _ended(stop: Stop, at: int, planned: Intervals, context: RecordContext) -> PastStop:
    """The stop once it has ended, its class judged on all of it."""
    if stop.status_at:
        stop = replace(stop, status_at=0, counting=None)
    if stop.category == "no_signal":
        # Messages of a gateway that was offline may begin before its silence did: the silence gives way.
        stop = replace(stop, start=min(stop.start, at))
    return judged(PastStop(stop, at), planned, context)


def judged(past: PastStop, planned: Intervals, context: RecordContext) -> PastStop:
    """Planned if the line was never required meanwhile, micro if it was short; silence stays silence."""
    asked = sum(end - start for start, end in required(past.stop.start, past.end, planned, context))
    category: DowntimeCategory = "no_signal"
    if past.stop.category != "no_signal":
        category = length_class(past, context) if asked else "planned"
    if (category, asked) == (past.stop.category, past.required):
        return past
    return PastStop(replace(past.stop, category=category), past.end, asked)


def length_class(past: PastStop, context: RecordContext) -> DowntimeCategory:
    """What a stop that should not have been is by its length, and by the rules of when it ended."""
    short = past.end - past.stop.start < context.at(past.end).line_rules.micro_stop_s * SECOND
    return "micro" if short else "unplanned"

"""The life of a stop: it opens when a line stops or falls silent, and gets its category when it ends."""

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

    A stop opens when the line does not run; one of category `no_signal` opens when a running line falls
    silent. Silence leaves an open stop open. A stop ends when a message reports another mode.

    Args:
        stop: the open stop, if any.
        change: the line's mode from now on.
        order: the running order, if any.
        planned: intervals in which a stop is planned, beside those of the calendar.
        context: the record.
    Returns:
        The open stop after the change, the stop that ended, and the rows that change.
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
    """Turn a planned stop that has lasted longer than planned into an unplanned one."""
    stop = replace(stop, category="unplanned")
    return stop, [stop_row.row(stop, context)]


def with_reason(stop: Stop, reason: str | None, context: RecordContext) -> tuple[Stop, list[RowUpdate]]:
    """Set an open stop's reason, unless it has one already."""
    if reason is None or stop.reason is not None:
        return stop, []
    stop = replace(stop, reason=reason)
    return stop, [stop_row.row(stop, context)]


def _ended(stop: Stop, at: int, planned: Intervals, context: RecordContext) -> PastStop:
    """The stop as it has ended, with the category that follows from all of it."""
    if stop.status_at:
        stop = replace(stop, status_at=0, counting=None)
    if stop.category == "no_signal":
        # A gateway that was offline may send a message from before the silence began: it then has length 0.
        stop = replace(stop, start=min(stop.start, at))
    return classified(PastStop(stop, at), planned, context)


def classified(past: PastStop, planned: Intervals, context: RecordContext) -> PastStop:
    """The stop with its category and required time: planned if no time of it was required, micro if it was
    short, else unplanned; one of `no_signal` keeps its category."""
    asked = sum(end - start for start, end in required(past.stop.start, past.end, planned, context))
    category: DowntimeCategory = "no_signal"
    if past.stop.category != "no_signal":
        category = length_class(past, context) if asked else "planned"
    if (category, asked) == (past.stop.category, past.required):
        return past
    return PastStop(replace(past.stop, category=category), past.end, asked)


def length_class(past: PastStop, context: RecordContext) -> DowntimeCategory:
    """Micro or unplanned, by the stop's length and the rules in force when it ended."""
    short = past.end - past.stop.start < context.at(past.end).line_rules.micro_stop_s * SECOND
    return "micro" if short else "unplanned"

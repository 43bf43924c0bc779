"""Updates of a stop's row."""

from functools import partial

from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import DowntimeEvent
from schemas.instant import SECOND, text_of
from schemas.state import PastStop, Stop


def row(stop: Stop, context: RecordContext) -> RowUpdate:
    """The update of an open stop's row."""
    return RowUpdate(DowntimeEvent, stop.id, partial(_row, stop, None, None, context))


def past_row(past: PastStop, context: RecordContext) -> RowUpdate:
    """The update of the row of a stop that has ended."""
    return RowUpdate(DowntimeEvent, past.stop.id, partial(_row, past.stop, past.end, past.required, context))


def _row(stop: Stop, end: int | None, required: int | None, context: RecordContext) -> DowntimeEvent:
    # As in the windows: silence in time of which none was required is planned.
    silent_when_planned = stop.category == "no_signal" and required == 0 and end != stop.start
    return DowntimeEvent(
        **context.stamp(stop.id),
        start_time=text_of(stop.start),
        end_time=None if end is None else text_of(end),
        duration=None if end is None else (end - stop.start) / SECOND,
        required_seconds=None if required is None else required / SECOND,
        category="planned" if stop.planned or silent_when_planned else stop.category,
        reason=stop.reason,
        order_number=stop.order_number,
        shift_id=stop.shift_id,
        created_at=text_of(stop.created_at),
        updated_at=context.seen_at,
    )

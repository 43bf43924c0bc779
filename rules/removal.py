"""The end of a line: an operator retires or forgets it, or it was silent for so long that it is dropped."""

from rules import alerts, orders
from rules.kpi import charging
from rules.kpi.publishing import publish
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import silence, state_change
from rules.stops.lifecycle import StateChange
from schemas.state import LineState


def retire(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """Retire the line: no more windows; its stop, alerts and running order end, waiting orders keep waiting.

    Its next message brings it back, as a new beginning.
    """
    if draft.retired or draft.clock is None:
        draft.retired = True
        return []
    at = silence.clock(draft, context)  # by its own clock: otherwise its next messages could be late
    updates = state_change.apply(draft, StateChange("unknown", at), context)
    assert draft.kpi is not None
    updates += _end_alerts_and_order(draft, at, context)
    draft.kpi = charging.cut(draft.kpi, None, None, context)
    draft.retired = True
    return updates


def forget(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """Retire the line, cancel its waiting orders, and reset its state: its next message begins a new line."""
    windows = draft.kpi
    updates = retire(draft, context)
    draft.orders, cancelled = orders.cancel_waiting(draft.orders, draft.clock or context.received_at, context)
    updates += [*cancelled, *publish(draft, windows, context)]
    draft.reset()
    draft.forgotten = True
    return updates


def drop(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """Close what is open on a line that was silent for long; its silence stays published as it was shown."""
    at, windows, updates = context.received_at, draft.kpi, list[RowUpdate]()
    if draft.clock is not None:
        at = silence.clock(draft, context)
        updates += state_change.end_line(draft, at, context)
    updates += _end_alerts_and_order(draft, at, context)
    draft.orders, cancelled = orders.cancel_waiting(draft.orders, at, context)
    return [*updates, *cancelled, *publish(draft, windows, context)]


def _end_alerts_and_order(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    draft.alerts, resolved = alerts.end_all(draft.alerts, at, context)
    draft.orders, completed = orders.end_running(draft.orders, at, context)
    return [*resolved, *completed]

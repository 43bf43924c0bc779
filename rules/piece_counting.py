"""Counts pieces and defects into the order and the windows in which they were made."""

from plant.timestamps import event_time
from rules import alerts, orders
from rules.kpi import charging, pieces, window_at
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from rules.stops import history, restart
from schemas.payloads import OrderMessage
from schemas.state import LineState, Order, Orders


def count(draft: LineState, sample: Sample, context: RecordContext) -> list[RowUpdate]:
    """Count a message's pieces and defects into their order and windows, and update orders and alerts."""
    assert draft.clock is not None
    assert draft.kpi is not None
    past = _count_in_past(draft, sample, context) if sample.late or draft.kpi.ends else None
    starts = past is None and draft.orders.running is None
    if past is None:
        after, order, updates = orders.on_sample(
            draft.orders, sample, draft.clock, draft.positive_target, context
        )
    else:
        after, order, updates = past
    if starts:
        if sample.late:
            draft.kpi = charging.cut(draft.kpi, order.number, order.product, context)
        else:
            restart.on_order_start(draft, order, sample, context)
    _into_windows(draft, order, sample, context)
    if after.running is None and past is None:
        draft.kpi = charging.cut(draft.kpi, None, None, context)
    draft.orders = after
    if not sample.late:
        draft.alerts, alert_rows = alerts.on_sample(draft.alerts, sample, context)
        updates += alert_rows
    return updates


def _into_windows(draft: LineState, order: Order, sample: Sample, context: RecordContext) -> None:
    assert draft.kpi is not None
    if sample.late:
        known = sample.known and not history.had_no_signal(draft.stop_history.stops, sample.at)
        of = order.number, order.product
        draft.kpi = pieces.count_late(
            draft.kpi, sample.at, sample.pieces, sample.defects, known=known, context=context, order=of
        )
    elif draft.stop is not None and restart.is_held(draft.stop):
        restart.count(draft, (order.number, order.product), sample, context)
    else:
        draft.kpi = pieces.count(
            draft.kpi, sample.at, sample.pieces, sample.defects, known=sample.known, context=context
        )


def _count_in_past(
    state: LineState, sample: Sample, context: RecordContext
) -> tuple[Orders, Order, list[RowUpdate]] | None:
    """Count pieces made during an order that has ended into that order; None if there is none, or it is no
    longer remembered."""
    assert state.kpi is not None
    of, running = window_at.order_of(state.kpi, sample.at), state.orders.running
    if of is None or of[0] is None or (running is not None and running.number == of[0]):
        return None
    return orders.on_past_sample(state.orders, of[0], sample, context)


def end_order(draft: LineState, at: int, context: RecordContext) -> None:
    """End the last window of an order that a message has ended at `at` (ms).

    If the line is stopped, its next message may still cover time up to `at`, and that time belongs to the
    order. If it runs, the time since its last message and the pieces made in it belong to the next order.
    """
    if draft.kpi is None:
        return
    if draft.mode == "stopped" and at > draft.kpi.charged:
        draft.kpi = charging.ends(draft.kpi, at)
    else:
        draft.kpi = charging.cut(draft.kpi, None, None, context)


def recount(draft: LineState, message: OrderMessage, context: RecordContext) -> None:
    """Count defects that were found later, or taken back, in a window of their order."""
    if draft.kpi is None or draft.clock is None or not message.defects:
        return
    at = event_time(message.at, context.line_rules.time_zone, "at")
    known = orders.known(draft.orders, message.order_number)
    assert known is not None  # or it could not have been corrected
    order, ended_at = known
    ended = draft.clock if ended_at is None else min(ended_at - 1, draft.clock)  # the order's last moment
    at = None if at is None else min(at, draft.clock)
    draft.kpi = pieces.reject(draft.kpi, at, ended, message.defects, (order.number, order.product), context)

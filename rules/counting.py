"""Pieces and defects: into the order, and the windows of the time, in which they were made."""

from plant.timestamps import event_time
from rules import alerts, orders
from rules.kpi import line_kpi
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from rules.stops import lifecycle, restart
from schemas.payloads import Order as Message
from schemas.state import LineState, Order, Orders

Step = tuple[LineState, list[RowUpdate]]


def count(state: LineState, sample: Sample, context: RecordContext) -> Step:
    """Pieces into the running order, the windows of the time in which they were made, and the alerts."""
    assert state.clock is not None
    assert state.kpi is not None
    past = _count_in_past(state, sample, context) if sample.late or state.kpi.ends else None
    begins = past is None and state.orders.running is None
    if past is None:
        after, order, rows = orders.on_sample(
            state.orders, sample, state.clock, state.positive_target, context
        )
    else:
        after, order, rows = past
    changes: list[RowUpdate] = [*rows]
    windows = state.kpi
    if begins:
        if sample.late:
            windows = line_kpi.cut(windows, order.number, order.product, context)
        else:
            windows = restart.starts(state, windows, order, sample, context)
    if sample.late:
        known = sample.known and not lifecycle.was_silent(state.people.stops, sample.at)
        of = order.number, order.product
        windows = line_kpi.count_late(
            windows, sample.at, sample.pieces, sample.defects, known=known, context=context, order=of
        )
    elif state.stop is not None and restart.is_held(state.stop):
        windows = restart.count(state, windows, (order.number, order.product), sample, context)
    else:
        windows = line_kpi.count(
            windows, sample.at, sample.pieces, sample.defects, known=sample.known, context=context
        )
    if after.running is None and past is None:
        windows = line_kpi.cut(windows, None, None, context)
    state.orders, state.kpi = after, windows
    if not sample.late:
        state.alerts, told = alerts.on_sample(state.alerts, sample, context)
        changes += told
    return state, changes


def _count_in_past(
    state: LineState, sample: Sample, context: RecordContext
) -> tuple[Orders, Order, list[RowUpdate]] | None:
    """Pieces made in the time of an order that ended are that order's, as long as it is known."""
    assert state.kpi is not None
    of, running = line_kpi.order_of(state.kpi, sample.at), state.orders.running
    if of is None or of[0] is None or (running is not None and running.number == of[0]):
        return None
    return orders.on_past_sample(state.orders, of[0], sample, context)


def recount(state: LineState, message: Message, context: RecordContext) -> None:
    """Defects found later, or taken back, in a window of their order."""
    if state.kpi is None or state.clock is None or not message.defects:
        return
    at = event_time(message.at, context.line_rules.time_zone, "at")
    known = orders.known(state.orders, message.order_number)
    assert known is not None  # or it could not have been corrected
    order, ended_at = known
    ended = state.clock if ended_at is None else min(ended_at - 1, state.clock)  # its last moment
    at = None if at is None else min(at, state.clock)
    state.kpi = line_kpi.reject(state.kpi, at, ended, message.defects, (order.number, order.product), context)

"""A line that leaves: people end it, or it was silent for so long that it is let go."""

from rules import alerts, orders
from rules.kpi import line_kpi
from rules.kpi.kpi_row import published
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import state_change
from rules.stops.lifecycle import StateChange
from schemas.state import LineState

Step = tuple[LineState, list[RowUpdate]]


def retire(state: LineState, context: RecordContext) -> Step:
    """The line ends: no more windows; its stop, alerts and running order end, orders that wait go on waiting.

    What it says from then on brings it back, as from a new beginning.
    """
    if state.retired or state.clock is None:
        state.retired = True
        return state, []
    at = state.clock + context.received_at - state.heard_at  # by its own clock, or it would come back late
    state, changes = state_change.take(state, StateChange("unknown", at), context)
    assert state.kpi is not None
    state.alerts, resolved = alerts.end_all(state.alerts, at, context)
    state.orders, rows = orders.end_running(state.orders, at, context)
    state.kpi = line_kpi.cut(state.kpi, None, None, context)
    state.retired = True
    return state, [*changes, *resolved, *rows]


def forget(state: LineState, context: RecordContext) -> Step:
    """The line ends, with the orders that wait for it. If it speaks again, it is a new one."""
    before = state.kpi
    state, changes = retire(state, context)
    _, rows = orders.cancel_waiting(state.orders, state.clock or context.received_at, context)
    state, changes = published(before, state, [*changes, *rows], context)
    return LineState(line_id=state.line_id, partition=state.partition, forgotten=True), changes


def let_go(state: LineState, context: RecordContext) -> list[RowUpdate]:
    """As `forget`, of a line that was silent for long: its silence is told as it was shown, once."""
    at, before, changes = context.received_at, state.kpi, list[RowUpdate]()
    if state.clock is not None:
        at = state.clock + context.received_at - state.heard_at
        state, changes = state_change.leave(state, at, context)
    state.alerts, resolved = alerts.end_all(state.alerts, at, context)
    state.orders, ended = orders.end_running(state.orders, at, context)
    state.orders, cancelled = orders.cancel_waiting(state.orders, at, context)
    return published(before, state, [*changes, *resolved, *ended, *cancelled], context)[1]

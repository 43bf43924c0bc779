"""A line that leaves: people end it, or it was silent for so long that it is let go."""

from rules import alerts, orders
from rules.kpi import line_kpi
from rules.kpi.kpi_row import published
from rules.record_context import Cause
from rules.row_update import Change
from rules.stops import state_change
from rules.stops.lifecycle import Turn
from schemas.state import LineState

Step = tuple[LineState, list[Change]]


def retire(state: LineState, cause: Cause) -> Step:
    """The line ends: no more windows; its stop, alerts and running order end, orders that wait go on waiting.

    What it says from then on brings it back, as from a new beginning.
    """
    if state.retired or state.clock is None:
        state.retired = True
        return state, []
    at = state.clock + cause.received_at - state.heard_at  # by its own clock, or it would come back late
    state, changes = state_change.take(state, Turn("unknown", at), cause)
    assert state.kpi is not None
    state.alerts, resolved = alerts.end_all(state.alerts, at, cause)
    state.orders, rows = orders.end_running(state.orders, at, cause)
    state.kpi = line_kpi.cut(state.kpi, None, None, cause)
    state.retired = True
    return state, [*changes, *resolved, *rows]


def forget(state: LineState, cause: Cause) -> Step:
    """The line ends, with the orders that wait for it. If it speaks again, it is a new one."""
    before = state.kpi
    state, changes = retire(state, cause)
    _, rows = orders.cancel_waiting(state.orders, state.clock or cause.received_at, cause)
    state, changes = published(before, state, [*changes, *rows], cause)
    return LineState(line_id=state.line_id, partition=state.partition, forgotten=True), changes


def let_go(state: LineState, cause: Cause) -> list[Change]:
    """As `forget`, of a line that was silent for long: its silence is told as it was shown, once."""
    at, before, changes = cause.received_at, state.kpi, list[Change]()
    if state.clock is not None:
        at = state.clock + cause.received_at - state.heard_at
        state, changes = state_change.leave(state, at, cause)
    state.alerts, resolved = alerts.end_all(state.alerts, at, cause)
    state.orders, ended = orders.end_running(state.orders, at, cause)
    state.orders, cancelled = orders.cancel_waiting(state.orders, at, cause)
    return published(before, state, [*changes, *resolved, *ended, *cancelled], cause)[1]

"""Changes of a line's mode: the time up to a message is charged to the old mode, and the new one begins.

Time is charged up to the line's last message only. Time of a silence is not: a message may still arrive that
reports what the line did.
"""

from msgspec.structs import replace

from rules import alerts
from rules.kpi import charging
from rules.kpi.windowing import StateInterval
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import history, lifecycle, stop_windows
from rules.stops.lifecycle import StateChange
from rules.stops.required_time import required
from schemas.instant import SECOND
from schemas.state import LineState, Mode, PastStop, Stop

PIPELINE = "pipeline"  # the reason of a silence during which no bridge listened
PAST = 5 * SECOND  # a message that took longer to arrive was stored somewhere


def apply(draft: LineState, change: StateChange, context: RecordContext) -> list[RowUpdate]:
    """Apply the mode of a message that is not late: charge time up to it, then begin `change.mode`."""
    updates: list[RowUpdate] = []
    at = change.at
    if draft.kpi is None or draft.clock is None:
        running = draft.orders.running
        number, product = (running.number, running.product) if running is not None else (None, None)
        draft.clock, draft.kpi = at, charging.begin(at, number, product, context)
    if draft.retired:  # it is back: the time in between is charged as unknown
        draft.kpi = replace(
            charging.charge(draft.kpi, [StateInterval(at, "unknown")], 0, context), production=None
        )
        draft.clock, draft.retired = at, False
    silence = draft.clock + context.line_rules.silence
    if at > silence and draft.alerts.held:
        draft.alerts = alerts.on_silence(draft.alerts, at - silence)
    if draft.mode == "running" and at > silence:
        reason = PIPELINE if draft.ticked_at < draft.heard_at + (silence - draft.clock) else None
        updates = fall_silent(draft, silence, reason, context)
    elif draft.mode == "no_signal" and draft.stop is not None and context.received_at - at > PAST:
        # It sends stored messages: `offline` came from its gateway, and not when the line fell silent.
        draft.stop = replace(draft.stop, start=min(silence, at))
    _charge_until(draft, at, context)
    if change.mode != draft.mode or change.reason is not None:
        updates += _change(draft, change, context)
    draft.clock = at
    return updates


def fall_silent(draft: LineState, at: int, reason: str | None, context: RecordContext) -> list[RowUpdate]:
    """A running line falls silent at `at` (ms), or `silence_s` after its last message if that is earlier.

    Time since its last message is not charged by that: its clock stands still.
    """
    if draft.mode != "running" or draft.clock is None:
        return []
    return _change(
        draft, StateChange("no_signal", min(at, draft.clock + context.line_rules.silence), reason), context
    )


def runs(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """A stopped line has run since `at` (ms), as is known only now: its stop ended then."""
    return _change(draft, StateChange("running", at), context)


def end_line(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """The line ends at `at` (ms), and its stop with it. Time since its last message is not charged."""
    return _change(draft, StateChange("unknown", at), context)


def passed(state: LineState, until: int, context: RecordContext) -> list[StateInterval]:
    """The line's state intervals since its last message, up to `until` (ms), as far as is known now."""
    assert state.clock is not None
    if state.mode == "unknown":
        return [StateInterval(until, "unknown")]
    if state.mode == "stopped":
        return [StateInterval(until, "stopped", planned=state.stop_history.planned)]
    silence = state.clock + context.line_rules.silence
    if state.mode == "no_signal" and state.stop is not None and state.stop.start < silence:
        silence = state.stop.start
    if until <= silence:
        return [StateInterval(until, "running", state.target_rate, state.rate, ruled=state.ruled)]
    running = StateInterval(silence, "running", state.target_rate, state.rate, ruled=state.ruled)
    return [running, StateInterval(until, "no_signal", planned=state.stop_history.planned)]


def _charge_until(draft: LineState, at: int, context: RecordContext) -> None:
    """Charge time up to `at` (ms) to the states that the line was in."""
    assert draft.kpi is not None
    assert draft.clock is not None
    if at <= draft.kpi.charged:
        return
    intervals = passed(draft, at, context)
    ends = draft.kpi.ends
    if 0 < ends < at:
        before = [replace(interval, until=min(interval.until, ends)) for interval in intervals]
        draft.kpi = charging.cut(
            charging.charge(draft.kpi, before, draft.clock, context), None, None, context
        )
    draft.kpi = charging.charge(draft.kpi, intervals, draft.clock, context)
    if intervals[0].mode == "running" and intervals[0].until > draft.clock:
        ran = intervals[0].until - draft.clock
        draft.alerts = alerts.on_running_time(draft.alerts, ran, draft.rate)


def _change(draft: LineState, change: StateChange, context: RecordContext) -> list[RowUpdate]:
    """Change the line's mode, or give the reason of the present one."""
    if change.mode == draft.mode and change.reason is None:
        return []
    before = draft.stop
    stop, ended, updates = lifecycle.on_state_change(
        before, change, draft.orders.running, draft.stop_history.planned, context
    )
    since = stop.start if stop is not None else change.at
    mode: Mode = "unknown" if stop is not None and stop.category == "planned" else change.mode
    draft.alerts, alert_updates = alerts.on_state_change(draft.alerts, mode, change.at, since, context)
    if before is not None and ended is not None:
        _note_end(draft, before, ended, context)
    begins = stop is not None and (before is None or before.id != stop.id)
    if stop is not None and begins and stop.category == "unplanned" and draft.kpi is not None:
        draft.kpi = stop_windows.count_stops(draft.kpi, stop.start, 1, 0, history.order_of(stop), context)
    draft.mode, draft.stop = change.mode, stop
    if ended is not None:
        draft.stop_history = history.with_past_stop(draft.stop_history, ended, stop)
    return [*updates, *alert_updates]


def _note_end(draft: LineState, before: Stop, ended: PastStop, context: RecordContext) -> None:
    """Correct the windows of a stop that has ended by its category, which is known only now."""
    stop, windows = ended.stop, draft.kpi
    if windows is None or stop.category == "no_signal":
        return
    order = history.order_of(stop)
    if stop.category == "micro":
        parts = required(stop.start, ended.end, draft.stop_history.planned, context)
        windows = stop_windows.reclassify(windows, parts, "unplanned", "micro", order, context)
    unplanned = int(stop.category == "unplanned") - int(before.category == "unplanned")
    draft.kpi = stop_windows.count_stops(
        windows, stop.start, unplanned, int(stop.category == "micro"), order, context
    )

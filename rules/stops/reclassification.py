"""Reclassifies stops: a planned stop that lasts too long, and stops whose planned time operators change."""

from msgspec.structs import replace

from rules import alerts
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import history, lifecycle, planned, stop_row, stop_windows
from rules.stops.planned import Intervals
from rules.stops.required_time import excused_until, required
from schemas.state import LineState, Mode, PastStop


def overdue(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """Turn a planned stop into an unplanned one if it goes on in required time.

    How far the stop was checked is remembered: a message checks only the time since, however long the stop.
    """
    stop = draft.stop
    if stop is None or stop.category != "planned" or stop.planned or draft.mode != "stopped":
        return []
    if at <= stop.excused or draft.kpi is None:
        return []
    until = excused_until(max(stop.start, stop.excused), at, draft.stop_history.planned, context)
    if until >= at:
        draft.stop = replace(stop, excused=until)
        return []
    draft.stop, updates = lifecycle.unplanned(stop, context)
    draft.kpi = stop_windows.count_stops(draft.kpi, stop.start, 1, 0, history.order_of(stop), context)
    draft.alerts, alert_updates = alerts.on_state_change(draft.alerts, "stopped", at, until, context)
    return [*updates, *alert_updates]


def replanned(draft: LineState, was: Intervals, now: Intervals, context: RecordContext) -> list[RowUpdate]:
    """Reclassify stops and their time in windows after planned time has changed from `was` to `now`."""
    updates: list[RowUpdate] = []
    stops: list[PastStop] = []
    other = planned.union([*planned.without(now, was), *planned.without(was, now)])
    for past in draft.stop_history.stops:
        if not planned.touch(other, past.stop.start, past.end):
            stops.append(past)  # the plan that made it planned may be forgotten by now
            continue
        new = lifecycle.classified(past, now, context)
        stops.append(new)
        if new is not past:
            updates.append(stop_row.past_row(new, context))
        _recharge(draft, past, new, was, now, context)
    draft.stop_history = replace(draft.stop_history, stops=tuple(stops))
    stop = draft.stop
    if stop is not None and stop.excused:  # checked against what was planned before
        stop = draft.stop = replace(stop, excused=0)
    charged = draft.kpi.charged if draft.kpi is not None else 0
    if (
        stop is not None
        and stop.category != "no_signal"
        and draft.kpi is not None
        and planned.touch(other, stop.start, charged)
    ):
        late = required(stop.start, max(stop.start + 1, charged), now, context)
        new_stop = replace(stop, category="unplanned" if late else "planned")
        _recharge(draft, PastStop(stop, charged), PastStop(new_stop, charged), was, now, context)
        if new_stop != stop:
            draft.stop = new_stop
            updates.append(stop_row.row(new_stop, context))
            mode: Mode = "stopped" if late else "unknown"
            draft.alerts, alert_updates = alerts.on_state_change(
                draft.alerts, mode, context.received_at, late[0][0] if late else stop.start, context
            )
            updates += alert_updates
    if draft.kpi is not None:
        draft.kpi = replace(draft.kpi, shown=0)
    return updates


def _recharge(
    draft: LineState, past: PastStop, new: PastStop, was: Intervals, now: Intervals, context: RecordContext
) -> None:
    """Move time of the stop from planned to its other time state or back, and count the stop accordingly."""
    if draft.kpi is None:
        return
    start, end, order = past.stop.start, past.end, history.order_of(past.stop)
    before, after = required(start, end, was, context), required(start, end, now, context)
    ended = draft.stop is None or draft.stop.id != past.stop.id
    kind = lifecycle.length_class(past, context) if ended else "unplanned"
    if past.stop.category == "no_signal":
        kind = "no_signal"
    windows = stop_windows.reclassify(
        draft.kpi, planned.without(before, after), kind, "planned", order, context
    )
    windows = stop_windows.reclassify(
        windows, planned.without(after, before), "planned", kind, order, context
    )
    one, other = past.stop.category, new.stop.category
    unplanned = int(other == "unplanned") - int(one == "unplanned")
    micro = int(other == "micro") - int(one == "micro")
    draft.kpi = stop_windows.count_stops(windows, start, unplanned, micro, order, context)

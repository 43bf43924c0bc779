"""Stops classed anew: a planned stop that lasts too long, and planned time that operators change."""

from msgspec.structs import replace

from rules import alerts
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import history, lifecycle, planned, stop_row, stop_windows
from rules.stops.planned import Intervals
from rules.stops.required_time import excused_until, required
from schemas.state import LineState, Mode, PastStop


def overdue(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """A planned stop that the line has not ended in time: from then on it is none.

    How far it was looked at is remembered: however long the stop is, a message looks at what is new.
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
    """Planned time is other than it was: stops are judged anew, and their windows with them."""
    updates: list[RowUpdate] = []
    stops: list[PastStop] = []
    other = planned.union([*planned.without(now, was), *planned.without(was, now)])
    for past in draft.stop_history.stops:
        if not planned.touch(other, past.stop.start, past.end):
            stops.append(past)  # what made it planned may be forgotten by now
            continue
        judged = lifecycle.judged(past, now, context)
        stops.append(judged)
        if judged is not past:
            updates.append(stop_row.past_row(judged, context))
        _recharge(draft, past, judged, was, now, context)
    draft.stop_history = replace(draft.stop_history, stops=tuple(stops))
    stop = draft.stop
    if stop is not None and stop.excused:  # by what was planned before
        stop = draft.stop = replace(stop, excused=0)
    charged = draft.kpi.charged if draft.kpi is not None else 0
    if (
        stop is not None
        and stop.category != "no_signal"
        and draft.kpi is not None
        and planned.touch(other, stop.start, charged)
    ):
        late = required(stop.start, max(stop.start + 1, charged), now, context)
        judged_stop = replace(stop, category="unplanned" if late else "planned")
        _recharge(draft, PastStop(stop, charged), PastStop(judged_stop, charged), was, now, context)
        if judged_stop != stop:
            draft.stop = judged_stop
            updates.append(stop_row.row(judged_stop, context))
            mode: Mode = "stopped" if late else "unknown"
            draft.alerts, alert_updates = alerts.on_state_change(
                draft.alerts, mode, context.received_at, late[0][0] if late else stop.start, context
            )
            updates += alert_updates
    if draft.kpi is not None:
        draft.kpi = replace(draft.kpi, shown=0)
    return updates


def _recharge(
    draft: LineState, past: PastStop, judged: PastStop, was: Intervals, now: Intervals, context: RecordContext
) -> None:
    """Move the stop's time between planned and what it is otherwise."""
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
    one, other = past.stop.category, judged.stop.category
    unplanned = int(other == "unplanned") - int(one == "unplanned")
    micro = int(other == "micro") - int(one == "micro")
    draft.kpi = stop_windows.count_stops(windows, start, unplanned, micro, order, context)

"""A line's turns: what it was since its last message, and what it is from this one on.

What a line told is settled: its time is charged. What silence means is not: a message may still come that
tells otherwise.
"""

from msgspec.structs import replace

from rules import alerts
from rules.kpi import line_kpi
from rules.kpi.remembered import Of
from rules.kpi.windowing import Intervals, StateInterval, excused_until, required
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import lifecycle, operator, planned
from rules.stops.lifecycle import StateChange
from schemas.instant import SECOND
from schemas.state import LineState, Mode, PastStop, Stop

PAST = 5 * SECOND  # a message that took longer to arrive waited somewhere


def take(draft: LineState, change: StateChange, context: RecordContext) -> list[RowUpdate]:
    """A message in the line's order: time is settled up to it; from there on the line is in `change.mode`."""
    changes: list[RowUpdate] = []
    at = change.at
    if draft.kpi is None or draft.clock is None:
        running = draft.orders.running
        number, product = (running.number, running.product) if running is not None else (None, None)
        draft.clock, draft.kpi = at, line_kpi.begin(at, number, product, context)
    if draft.retired:  # it speaks again: the time in between is nobody's
        draft.kpi = replace(
            line_kpi.charge(draft.kpi, [StateInterval(at, "unknown")], 0, context), making=None
        )
        draft.clock, draft.retired = at, False
    silence = draft.clock + context.line_rules.silence
    if at > silence and draft.alerts.held:
        draft.alerts = alerts.on_silence(draft.alerts, at - silence)
    if draft.mode == "running" and at > silence:
        reason = lifecycle.PIPELINE if draft.ticked_at < draft.heard_at + (silence - draft.clock) else None
        changes = fall_silent(draft, silence, reason, context)
    elif draft.mode == "no_signal" and draft.stop is not None and context.received_at - at > PAST:
        # It tells its past: `offline` was its gateway's, which says nothing of when the line fell silent.
        draft.stop = replace(draft.stop, start=min(silence, at))
    _settle(draft, at, context)
    if change.mode != draft.mode or change.reason is not None:
        changes += _change(draft, change, context)
    draft.clock = at
    return changes


def fall_silent(draft: LineState, at: int, reason: str | None, context: RecordContext) -> list[RowUpdate]:
    """A running line falls silent at `at` (ms), or when its last message held no longer.

    What it was since its last message is not settled by that: its clock stands still.
    """
    if draft.mode != "running" or draft.clock is None:
        return []
    return _change(
        draft, StateChange("no_signal", min(at, draft.clock + context.line_rules.silence), reason), context
    )


def runs(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """A line that stood has run since `at` (ms), as is known only now: its stop ended then."""
    return _change(draft, StateChange("running", at), context)


def leave(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """The line is no more at `at` (ms): its stop ends. What it was since its last message is not settled."""
    return _change(draft, StateChange("unknown", at), context)


def overdue(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """A planned stop that the line has not ended in time: from then on it is none.

    How far it was looked at is remembered: however long the stop is, a message looks at what is new.
    """
    stop = draft.stop
    if stop is None or stop.category != "planned" or stop.planned or draft.mode != "stopped":
        return []
    if at <= stop.excused or draft.kpi is None:
        return []
    until = excused_until(max(stop.start, stop.excused), at, draft.people.planned, context)
    if until >= at:
        draft.stop = replace(stop, excused=until)
        return []
    draft.stop, rows = lifecycle.unplanned(stop, context)
    draft.kpi = line_kpi.count_stops(draft.kpi, stop.start, 1, 0, of(stop), context)
    draft.alerts, told = alerts.on_state_change(draft.alerts, "stopped", at, until, context)
    return [*rows, *told]


def passed(state: LineState, until: int, context: RecordContext) -> list[StateInterval]:
    """What the line was since its last message, up to `until` (ms), as far as is known now."""
    assert state.clock is not None
    if state.mode == "unknown":
        return [StateInterval(until, "unknown")]
    if state.mode == "stopped":
        return [StateInterval(until, "stopped", planned=state.people.planned)]
    silence = state.clock + context.line_rules.silence
    if state.mode == "no_signal" and state.stop is not None and state.stop.start < silence:
        silence = state.stop.start
    if until <= silence:
        return [StateInterval(until, "running", state.target_rate, state.rate, ruled=state.ruled)]
    running = StateInterval(silence, "running", state.target_rate, state.rate, ruled=state.ruled)
    return [running, StateInterval(until, "no_signal", planned=state.people.planned)]


def can_be_shown(state: LineState) -> bool:
    """Whether time alone tells what the line is now: of one that counts, pieces are still to come."""
    return state.mode != "running" or (state.kpi is not None and state.kpi.making is None)


def of(stop: Stop) -> Of:
    """The order that ran when the stop began."""
    return stop.order_number, stop.product


def _settle(draft: LineState, at: int, context: RecordContext) -> None:
    """Time up to `at` (ms) is charged to what the line was."""
    assert draft.kpi is not None
    assert draft.clock is not None
    if at <= draft.kpi.charged:
        return
    intervals = passed(draft, at, context)
    ends = draft.kpi.ends
    if 0 < ends < at:
        before = [replace(interval, until=min(interval.until, ends)) for interval in intervals]
        draft.kpi = line_kpi.cut(
            line_kpi.charge(draft.kpi, before, draft.clock, context), None, None, context
        )
    draft.kpi = line_kpi.charge(draft.kpi, intervals, draft.clock, context)
    if intervals[0].mode == "running" and intervals[0].until > draft.clock:
        ran = intervals[0].until - draft.clock
        draft.alerts = alerts.on_running_time(draft.alerts, ran, draft.rate)


def _change(draft: LineState, change: StateChange, context: RecordContext) -> list[RowUpdate]:
    """The line is in another mode, or tells why it is in this one."""
    if change.mode == draft.mode and change.reason is None:
        return []
    before = draft.stop
    stop, ended, rows = lifecycle.on_state_change(
        before, change, draft.orders.running, draft.people.planned, context
    )
    since = stop.start if stop is not None else change.at
    mode: Mode = "unknown" if stop is not None and stop.category == "planned" else change.mode
    draft.alerts, told = alerts.on_state_change(draft.alerts, mode, change.at, since, context)
    if before is not None and ended is not None:
        _note_end(draft, before, ended, context)
    begins = stop is not None and (before is None or before.id != stop.id)
    if stop is not None and begins and stop.category == "unplanned" and draft.kpi is not None:
        draft.kpi = line_kpi.count_stops(draft.kpi, stop.start, 1, 0, of(stop), context)
    draft.mode, draft.stop = change.mode, stop
    if ended is not None:
        draft.people = operator.closed(draft.people, ended, stop)
    return [*rows, *told]


def _note_end(draft: LineState, before: Stop, ended: PastStop, context: RecordContext) -> None:
    """A stop ended: the windows that it lay in say what it was, now that all of it is known."""
    stop, windows = ended.stop, draft.kpi
    if windows is None or stop.category == "no_signal":
        return
    if stop.category == "micro":
        parts = required(stop.start, ended.end, draft.people.planned, context)
        windows = line_kpi.reclassify(windows, parts, "unplanned", "micro", of(stop), context)
    unplanned = int(stop.category == "unplanned") - int(before.category == "unplanned")
    draft.kpi = line_kpi.count_stops(
        windows, stop.start, unplanned, int(stop.category == "micro"), of(stop), context
    )


def replanned(draft: LineState, was: Intervals, now: Intervals, context: RecordContext) -> list[RowUpdate]:
    """Planned time is other than it was: stops are judged anew, and their windows with them."""
    changes: list[RowUpdate] = []
    told: list[PastStop] = []
    other = planned.union([*planned.without(now, was), *planned.without(was, now)])
    for past in draft.people.stops:
        if not planned.touch(other, past.stop.start, past.end):
            told.append(past)  # what made it planned may be forgotten by now
            continue
        judged = lifecycle.judged(past, now, context)
        told.append(judged)
        if judged is not past:
            changes.append(lifecycle.past_row(judged, context))
        _recharge(draft, past, judged, was, now, context)
    draft.people = replace(draft.people, stops=tuple(told))
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
            changes.append(lifecycle.row(judged_stop, context))
            mode: Mode = "stopped" if late else "unknown"
            draft.alerts, rows = alerts.on_state_change(
                draft.alerts, mode, context.received_at, late[0][0] if late else stop.start, context
            )
            changes += rows
    if draft.kpi is not None:
        draft.kpi = replace(draft.kpi, shown=0)
    return changes


def _recharge(
    draft: LineState, past: PastStop, judged: PastStop, was: Intervals, now: Intervals, context: RecordContext
) -> None:
    """Move the stop's time between planned and what it is otherwise."""
    if draft.kpi is None:
        return
    start, end, order = past.stop.start, past.end, of(past.stop)
    before, after = required(start, end, was, context), required(start, end, now, context)
    ended = draft.stop is None or draft.stop.id != past.stop.id
    kind = lifecycle.length_class(past, context) if ended else "unplanned"
    if past.stop.category == "no_signal":
        kind = "no_signal"
    windows = line_kpi.reclassify(draft.kpi, planned.without(before, after), kind, "planned", order, context)
    windows = line_kpi.reclassify(windows, planned.without(after, before), "planned", kind, order, context)
    one, other = past.stop.category, judged.stop.category
    unplanned = int(other == "unplanned") - int(one == "unplanned")
    micro = int(other == "micro") - int(one == "micro")
    draft.kpi = line_kpi.count_stops(windows, start, unplanned, micro, order, context)

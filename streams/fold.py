"""The fold: a line's state and its next record give the line's next state and the rows that change.

Pure: no clock, no random number, no environment. The same records and rules give the same rows, whatever
the batches that they come in.
"""

from copy import copy

from msgspec.structs import replace

from schemas.errors import Poison
from schemas.instant import SECOND
from schemas.mapping import read_data, read_status
from schemas.payloads import Data, Order, Status, event_time, parse_order
from schemas.plant import Rules
from schemas.raw import Kind, RawRecord
from schemas.state import Kpi, LineState, Mode
from streams import alerts, clock, counters, kpi, orders, samples, stops
from streams.calendar import Calendars
from streams.cause import Cause, Sample
from streams.change import Change
from streams.dead_letters import dead_letter
from streams.kpi_row import row
from streams.stops import Ended, Turn
from streams.windows import Intervals, Stretch, required

Step = tuple[LineState, list[Change]]


class Fold:
    """The rules of one generation, applied to one line's records in the order of the log."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.calendars = Calendars(rules)

    def __call__(
        self, state: LineState | None, record: RawRecord, topic: str
    ) -> tuple[LineState | None, list[Change]]:
        """Apply a record of the line (or a tick) to the line's state.

        Args:
            state: the line before the record; None if it was never heard.
            record: the line's next record.
            topic: the raw log's name, for dead letters.
        Returns:
            The line after it, and the rows that change; of a row, the last change counts.
        """
        received_at = record.received_at if state is None else max(record.received_at, state.received_at)
        assert state is not None or record.line_id is not None
        line_id = state.line_id if state is not None else record.line_id or ""
        line_rules = self.rules.line(line_id, received_at)
        cause = Cause(
            self.rules,
            line_rules,
            self.calendars.of(line_id),
            line_id,
            record.partition,
            record.offset,
            received_at,
        )
        if record.headers.kind is Kind.TICK:
            if state is None:
                return None, []
            after, changes = on_tick(copy(state), cause)
        else:
            applied, changes = self._message(state, record, topic, cause)
            if applied is None:
                return None, changes
            after = applied
            after.heard_at = received_at
        after.offset, after.received_at = record.offset, received_at
        after.run = max(after.run, record.headers.run)
        return after, changes

    def _message(
        self, state: LineState | None, record: RawRecord, topic: str, cause: Cause
    ) -> tuple[LineState | None, list[Change]]:
        draft = copy(state) if state else LineState(line_id=cause.line_id, partition=record.partition)
        try:
            return _on_message(draft, record, cause, heard_before=state is not None)
        except counters.Restarted as restarted:
            letter = dead_letter(record, restarted, topic, cause)
            before = state or LineState(line_id=cause.line_id, partition=record.partition)
            return replace(before, counters=restarted.counters), [letter]
        except Poison as poison:
            # The machine speaks, if only nonsense: that is not silence.
            return copy(state), [dead_letter(record, poison, topic, cause)]


def _on_message(state: LineState, record: RawRecord, cause: Cause, *, heard_before: bool) -> Step:
    kind, headers = record.headers.kind, record.headers
    zone = cause.line_rules.time_zone
    if kind is Kind.OVERSIZE:
        raise Poison("oversize", length=headers.length)
    if headers.retain and (kind is not Kind.STATUS or heard_before):
        raise Poison("retained")
    if kind is Kind.DATA:
        data = read_data(record.payload, cause.line_rules)
        # What waited somewhere without a time of its own: nobody knows when it was made.
        known = data.timestamp is not None or not headers.backlog
        return on_data(state, data, event_time(data.timestamp, zone), cause, known=known)
    if kind is Kind.STATUS:
        status = read_status(record.payload, cause.line_rules)
        return on_status(state, status, event_time(status.timestamp, zone), cause)
    order = parse_order(record.payload)
    return on_order(state, order, event_time(order.timestamp, zone), cause)


def on_data(state: LineState, data: Data, told: int | None, cause: Cause, *, known: bool = True) -> Step:
    """A data message: count it, and if it is not late, let the line be what it says."""
    before = state.kpi
    state, at, changes = _on_time(state, told, cause)
    cause = cause.at(at)
    late = state.clock is not None and at < state.clock
    state, data = counters.increments(state, data, at, late, cause)
    sample = samples.decide(state, data, at, late, known, cause)
    if not late:
        state, turned = _turn(state, Turn(sample.mode, at), cause)
        changes += turned
        _hold(state, sample)
        if state.stop is not None:
            state, overdue = _overdue(state, at, cause)
            changes += overdue
    state, counted = _count(state, sample, cause)
    changes += counted
    changes.append(samples.row(sample, cause))
    return _published(before, state, changes, cause)


def on_status(state: LineState, status: Status, told: int | None, cause: Cause) -> Step:
    """A status message: running, stopped, or offline; `online` changes nothing."""
    if status.status == "online":
        return state, []
    before = state.kpi
    state, at, changes = _on_time(state, told, cause)
    cause = cause.at(at)
    if state.clock is not None and at < state.clock:
        stop, rows = stops.on_late_reason(state.stop, at, status.reason, cause)
        return replace(state, stop=stop), [*changes, *rows]
    if status.status == "offline" and state.clock is not None:
        # Often a will, told long after the last message: the line's own past may still come.
        state, turned = _silent(state, at, status.reason or stops.OFFLINE, cause)
        return state, [*changes, *turned]
    mode: Mode = "running" if status.status == "running" else "stopped"
    if status.status == "offline":
        mode = state.mode
    state, turned = _turn(state, Turn(mode, at, status.reason), cause)
    return _published(before, replace(state, clock=at), changes + turned, cause)


def on_order(state: LineState, message: Order, told: int | None, cause: Cause) -> Step:
    """An order is planned, closed or cancelled: a window ends where the running order does."""
    before = state.kpi
    at, _ = clock.decide(told, cause.received_at, cause.line_rules)
    after, rows = orders.on_message(state.orders, message, max(at, state.clock or at), cause)
    changes: list[Change] = [*rows]
    ended = state.orders.running is not None and after.running is None
    state = replace(state, orders=after)
    if ended and state.kpi is not None:
        state = replace(state, kpi=kpi.cut(state.kpi, None, None, cause))
    return _published(before, state, changes, cause)


def on_tick(state: LineState, cause: Cause) -> Step:
    """Time passes: a running line may have fallen silent, and what silence means is shown as time goes on."""
    now = cause.received_at
    listening = now - state.ticked_at <= clock.TICKS_MISSING
    state.ticked_at = now
    since = state.ticking_since = state.ticking_since if listening else now
    if state.clock is None or state.kpi is None:
        return state, []
    silence = round(cause.line_rules.silence_s * SECOND)
    if now - max(state.heard_at, since) <= silence:
        return _published(state.kpi, state, [], cause)
    # Nobody listened when the line fell silent: it may not be the line's fault.
    reason = stops.PIPELINE if since > state.heard_at + silence else None
    windows, until = state.kpi, state.clock + now - state.heard_at
    state, changes = _silent(state, state.clock + silence, reason, cause)
    state, overdue = _overdue(state, until, cause)
    windows, told = kpi.shown(state.kpi or windows, _passed(state, until, cause), cause)
    return replace(state, kpi=windows), [*changes, *overdue, *(row(window, cause) for window in told)]


def _silent(state: LineState, at: int, reason: str | None, cause: Cause) -> Step:
    """A running line falls silent at `at` (ms), or when its last message held no longer.

    What it was since its last message is not settled by that: its clock stands still.
    """
    if state.mode != "running" or state.clock is None:
        return state, []
    silence = state.clock + round(cause.line_rules.silence_s * SECOND)
    return _changed(state, Turn("no_signal", min(at, silence), reason), cause)


def _on_time(state: LineState, told: int | None, cause: Cause) -> tuple[LineState, int, list[Change]]:
    """The message's event time; the line is flagged while its clock can't be believed."""
    at, off = clock.decide(told, cause.received_at, cause.line_rules)
    changes: list[Change] = []
    if off is not None or (told is not None and "CLOCK_SKEW" in state.alerts.held):
        condition = alerts.Condition(
            "CLOCK_SKEW",
            at,
            at,
            off is not None,
            off is None,
            (off or 0) / SECOND,
            clock.ACCEPT_FUTURE / SECOND,
        )
        held, told_of = alerts.hold(state.alerts, condition, cause)
        state = replace(state, alerts=held)
        changes += told_of
    return state, at, changes


def _turn(state: LineState, turn: Turn, cause: Cause) -> Step:
    """A message in the line's order: time is settled up to it; from there on the line is in `turn.mode`."""
    changes: list[Change] = []
    at = turn.at
    if state.kpi is None or state.clock is None:
        state = replace(state, clock=at, kpi=kpi.begin(at, *_order(state), cause))
    assert state.clock is not None
    silence = state.clock + round(cause.line_rules.silence_s * SECOND)
    if state.mode == "running" and at > silence:
        reason = stops.PIPELINE if state.ticked_at < state.heard_at + (silence - state.clock) else None
        state, changes = _silent(state, silence, reason, cause)
    state = _settled(state, at, cause)
    state, changed = _changed(state, turn, cause)
    return state, changes + changed


def _changed(state: LineState, turn: Turn, cause: Cause) -> Step:
    """The line is in another mode, or tells why it is in this one."""
    if turn.mode == state.mode and turn.reason is None:
        return state, []
    stop, ended, rows = stops.on_turn(state.stop, turn, state.orders.running, _planned(state), cause)
    since = stop.start if stop is not None else turn.at
    expected = stop is not None and stop.category == "planned"
    held, told = alerts.on_turn(state.alerts, "unknown" if expected else turn.mode, turn.at, since, cause)
    if ended is not None:
        state = _judged(state, ended, cause)
    begins = stop is not None and (state.stop is None or state.stop.id != stop.id)
    if stop is not None and begins and stop.category == "unplanned" and state.kpi is not None:
        opened = kpi.tally(state.kpi, stop.start, 1, 0, (stop.order_number, stop.product), cause)
        state = replace(state, kpi=opened)
    return replace(state, mode=turn.mode, stop=stop, alerts=held), [*rows, *told]


def _overdue(state: LineState, at: int, cause: Cause) -> Step:
    """A planned stop that the line has not ended in time: from then on it is none."""
    stop = state.stop
    if stop is None or stop.category != "planned" or stop.excused or state.mode != "stopped":
        return state, []
    late = required(stop.start, at, _planned(state), cause)
    if not late or state.kpi is None:
        return state, []
    stop, rows = stops.unplanned(stop, cause)
    held, told = alerts.on_turn(state.alerts, "stopped", at, late[0][0], cause)
    windows = kpi.tally(state.kpi, stop.start, 1, 0, (stop.order_number, stop.product), cause)
    return replace(state, stop=stop, alerts=held, kpi=windows), [*rows, *told]


def _judged(state: LineState, ended: Ended, cause: Cause) -> LineState:
    """A stop that ended: the windows that it lay in say what it was, all of it known."""
    stop, windows = ended.stop, state.kpi
    if windows is None or stop.category == "no_signal":
        return state
    order = (stop.order_number, stop.product)
    if stop.category == "micro":
        parts = required(stop.start, ended.end, _planned(state), cause)
        windows = kpi.move(windows, parts, "unplanned", "micro", order, cause)
    unplanned = int(stop.category == "unplanned") - int(ended.began_as == "unplanned")
    micro = int(stop.category == "micro")
    return replace(state, kpi=kpi.tally(windows, stop.start, unplanned, micro, order, cause))


def _passed(state: LineState, until: int, cause: Cause) -> list[Stretch]:
    """What the line was since its last message, up to `until` (ms), as far as is known now."""
    assert state.clock is not None
    target, rate = state.target_rate, state.rate
    if state.mode == "unknown":
        return [Stretch(until, "unknown")]
    if state.mode == "stopped":
        excused = state.stop is not None and state.stop.excused
        return [Stretch(until, "stopped", planned=_planned(state), excused=excused)]
    silence = state.clock + round(cause.line_rules.silence_s * SECOND)
    if state.mode == "no_signal" and state.stop is not None:
        silence = min(silence, state.stop.start)
    if until <= silence:
        return [Stretch(until, "running", target, rate)]
    return [Stretch(silence, "running", target, rate), Stretch(until, "no_signal")]


def _settled(state: LineState, at: int, cause: Cause) -> LineState:
    """Time up to `at` (ms) is charged to what the line was."""
    assert state.kpi is not None
    assert state.clock is not None
    if at <= state.kpi.charged:
        return state
    passed = _passed(state, at, cause)
    state.kpi = kpi.charge(state.kpi, passed, state.clock, cause)
    if passed[0].mode == "running" and passed[0].until > state.clock:
        running = passed[0].until - state.clock
        state.alerts = alerts.on_running_time(state.alerts, running, state.rate, 0)
    return state


def _planned(state: LineState) -> Intervals:
    """Stretches in which a stop is planned, as people announced them."""
    return ()


def _hold(state: LineState, sample: Sample) -> None:
    """From its message on, and until its next, the line is what the message says."""
    state.clock, state.target_rate, state.rate = sample.at, sample.target_rate, sample.rate
    if sample.target_rate is not None and sample.target_rate > 0:
        state.positive_target = sample.target_rate


def _count(state: LineState, sample: Sample, cause: Cause) -> Step:
    """Pieces into the running order, the windows of the time in which they were made, and the alerts."""
    assert state.clock is not None
    assert state.kpi is not None
    begins = state.orders.running is None
    after, order, rows = orders.on_sample(state.orders, sample, state.clock, state.positive_target, cause)
    changes: list[Change] = [*rows]
    windows = state.kpi
    if begins:
        windows = (kpi.cut if sample.late else kpi.starts)(windows, order.number, order.product, cause)
    if sample.late:
        windows = kpi.count_late(windows, sample.at, sample.pieces, sample.defects, cause)
    else:
        windows = kpi.count(
            windows, sample.at, sample.pieces, sample.defects, known=sample.known, cause=cause
        )
    if after.running is None:
        windows = kpi.cut(windows, None, None, cause)
    state.orders, state.kpi = after, windows
    if not sample.late:
        noted = alerts.on_running_time(state.alerts, 0, sample.rate, sample.pieces)
        state.alerts, told = alerts.on_sample(noted, sample, cause)
        changes += told
    return state, changes


def _order(state: LineState) -> tuple[str | None, str | None]:
    running = state.orders.running
    return (running.number, running.product) if running is not None else (None, None)


def _published(before: Kpi | None, state: LineState, changes: list[Change], cause: Cause) -> Step:
    if state.kpi is not None:
        state.kpi, told = kpi.publish(before, state.kpi, cause)
        if told:
            changes += [row(window, cause) for window in told]
    return state, changes

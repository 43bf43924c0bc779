"""The fold: a line's state and its next record give the line's next state and the rows that change.

Pure: no clock, no random number, no environment. The same records and rules give the same rows, whatever
the batches that they come in.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.errors import Poison
from schemas.instant import SECOND
from schemas.mapping import read_data, read_status
from schemas.payloads import Data, Order, Status, event_time, parse_order
from schemas.people import Said, parse_said
from schemas.plant import Rules
from schemas.raw import Kind, RawRecord
from schemas.state import LineState, Mode, Window
from streams import alerts, clock, counters, kpi, orders, people, samples, stops
from streams.cause import Cause, Sample
from streams.change import Change
from streams.dead_letters import dead_letter
from streams.kpi import Held
from streams.shifts import Shifts
from streams.stops import Turn

Step = tuple[LineState, list[Change]]


class Fold:
    """The rules of one generation, applied to one line's records in the order of the log."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.shifts = Shifts(rules)

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
            self.rules, line_rules, self.shifts, line_id, record.partition, record.offset, received_at
        )
        if record.headers.kind is Kind.TICK:
            if state is None:
                return None, []
            heard_at, (after, changes) = state.heard_at, on_tick(state, cause)
        else:
            known = 0 if state is None else state.heard_at
            heard_at = known if _by_people(record) else received_at
            applied, changes = self._message(state, record, topic, cause)
            if applied is None:
                return None, changes
            after = applied
        run = max(after.run, record.headers.run)
        return replace(
            after, offset=record.offset, run=run, received_at=received_at, heard_at=heard_at
        ), changes

    def _message(
        self, state: LineState | None, record: RawRecord, topic: str, cause: Cause
    ) -> tuple[LineState | None, list[Change]]:
        before = state or LineState(line_id=cause.line_id, partition=record.partition)
        try:
            return _on_message(before, record, cause, heard_before=state is not None)
        except counters.Restarted as restarted:
            letter = dead_letter(record, restarted, topic, cause)
            return replace(before, counters=restarted.counters), [letter]
        except Poison as poison:
            # The machine speaks, if only nonsense: that is not silence.
            return state, [dead_letter(record, poison, topic, cause)]


def _by_people(record: RawRecord) -> bool:
    """Whether people speak of the line, and not its machine: that does not end its silence."""
    kind = record.headers.kind
    return kind is Kind.ORDER or (kind is Kind.STATUS and b'"action"' in record.payload)


def _on_message(state: LineState, record: RawRecord, cause: Cause, *, heard_before: bool) -> Step:
    kind, headers = record.headers.kind, record.headers
    zone = cause.rules.time_zone
    if kind is Kind.OVERSIZE:
        raise Poison("oversize", length=headers.length)
    if headers.retain and (kind is not Kind.STATUS or heard_before):
        raise Poison("retained")
    if kind is Kind.DATA:
        data = read_data(record.payload, cause.line_rules)
        return on_data(state, data, event_time(data.timestamp, zone), cause)
    if kind is Kind.STATUS:
        said = parse_said(record.payload)
        if said is not None:
            return on_said(state, said, heard_before, cause)
        status = read_status(record.payload, cause.line_rules)
        return on_status(state, status, event_time(status.timestamp, zone), cause)
    order = parse_order(record.payload)
    return on_order(state, order, event_time(order.timestamp, zone), cause)


def on_data(state: LineState, data: Data, told: int | None, cause: Cause) -> Step:
    """A data message: count it, and if it is not late, let the line be what it says."""
    state, at, changes = _on_time(state, told, cause)
    late = state.clock is not None and at < state.clock
    state, data = counters.increments(state, data, at, late, cause)
    sample = samples.decide(state, data, at, late, cause)
    if not late:
        state, turned = _turn(state, Turn(sample.mode, at), cause)
        changes += turned
        state = _hold(state, sample)
    state, counted = _count(state, sample, cause)
    changes += counted
    changes.append(samples.row(sample, cause))
    return _published(state, changes, cause)


def on_status(state: LineState, status: Status, told: int | None, cause: Cause) -> Step:
    """A status message: running, stopped, or offline; `online` changes nothing."""
    if status.status == "online":
        return state, []
    state, at, changes = _on_time(state, told, cause)
    if state.clock is not None and at < state.clock:
        stop, rows = stops.on_late_reason(state.stop, at, status.reason, cause)
        return replace(state, stop=stop), [*changes, *rows]
    mode: Mode = "running" if status.status == "running" else "stopped"
    reason = status.reason
    if status.status == "offline":
        mode = "no_signal" if state.mode == "running" else state.mode
        reason = reason or stops.OFFLINE if mode == "no_signal" else None
    state, turned = _turn(state, Turn(mode, at, reason), cause)
    return _published(state, changes + turned, cause)


def on_order(state: LineState, message: Order, told: int | None, cause: Cause) -> Step:
    """An order is planned, closed or cancelled: a window ends where the running order does."""
    at, _ = clock.decide(told, cause.received_at, cause.line_rules)
    after, rows = orders.on_message(state.orders, message, max(at, state.clock or at), cause)
    changes: list[Change] = [*rows]
    ended = state.orders.running is not None and after.running is None
    state = replace(state, orders=after)
    if rows and message.action == "correct":
        state, revised = _recount(state, message, cause)
        changes += revised
    if ended and state.kpi is not None:
        state, closed = _cut(state, cause)
        changes += closed
    return _published(state, changes, cause)


def on_said(state: LineState, said: Said, heard_before: bool, cause: Cause) -> Step:
    """A person's message about stops, or the end of the line; the machine itself said nothing."""
    if said.action != "retire":
        state, changes = people.on_said(state, said, cause)
        return _published(state, changes, cause)
    if not heard_before:
        raise Poison("unknown_line")
    return retire(state, cause)


def retire(state: LineState, cause: Cause) -> Step:
    """The line ends: no more windows; its stop, alerts and running order end, orders that wait go on waiting.

    What it says from then on brings it back, as from a new beginning.
    """
    if state.retired or state.clock is None:
        return replace(state, retired=True), []
    at = max(cause.received_at, state.clock)
    state, changes = _turn(state, Turn("unknown", at), cause)
    held, resolved = alerts.end_all(state.alerts, at, cause)
    after, rows = orders.end_running(state.orders, at, cause)
    state, closed = _cut(replace(state, alerts=held, orders=after, retired=True), cause)
    return _published(state, [*changes, *resolved, *rows, *closed], cause)


def on_tick(state: LineState, cause: Cause) -> Step:
    """Time passes: a running line may have fallen silent, and what is silent is charged as time goes on."""
    now = cause.received_at
    listening = now - state.ticked_at <= clock.TICKS_MISSING
    since = state.ticking_since if listening else now
    state = replace(state, ticked_at=now, ticking_since=since)
    if state.clock is None or state.kpi is None:
        return state, []
    if state.retired:
        return _published(state, [], cause)
    changes: list[Change] = []
    clock_now, silence = state.clock, round(cause.line_rules.silence_s * SECOND)
    if now - max(state.heard_at, since) > silence:
        if state.mode == "running":
            # Nobody listened when the line fell silent: it may not be the line's fault.
            reason = stops.PIPELINE if since > state.heard_at + silence else None
            state, changes = _changed(state, Turn("no_signal", clock_now + silence, reason), cause)
        passed = now - state.heard_at
        if passed <= kpi.SILENT_FOR_GOOD:
            state, charged = _charge(state, clock_now + passed, cause)
            changes += charged
    return _published(state, changes, cause)


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
    """The line's clock moves on to `turn.at`, and from there on the line is in `turn.mode`."""
    changes: list[Change] = []
    at = turn.at
    if state.kpi is None or state.clock is None:
        running = state.orders.running
        state = replace(state, clock=at, kpi=kpi.begin(at, running.number if running else None, cause))
    if state.retired:
        state = _returned(state, at, cause)
    assert state.clock is not None
    silence = state.clock + round(cause.line_rules.silence_s * SECOND)
    if state.mode == "running" and at > silence:
        reason = stops.PIPELINE if state.ticked_at < state.heard_at + (silence - state.clock) else None
        state, changes = _changed(state, Turn("no_signal", silence, reason), cause)
        if turn.mode == "no_signal":
            return replace(state, clock=at), changes
    state, changed = _changed(state, turn, cause)
    return replace(state, clock=max(at, state.clock or at)), changes + changed


def _returned(state: LineState, at: int, cause: Cause) -> LineState:
    """A retired line that speaks again: the time in between is nobody's."""
    assert state.kpi is not None
    windows, _ = kpi.charge(state.kpi, at, 0, Held("unknown", None, None), cause)
    return replace(state, kpi=windows, clock=at, retired=False)


def _changed(state: LineState, turn: Turn, cause: Cause) -> Step:
    state, changes = _charge(state, turn.at, cause)
    if turn.mode == state.mode and turn.reason is None:
        return state, changes
    running = state.orders.running
    stop, rows = stops.on_turn(state.stop, turn, running.number if running else None, cause)
    said_of = people.closed(state.people, state.stop, stop, turn.at)
    since = stop.start if stop is not None else turn.at
    held, told = alerts.on_turn(state.alerts, turn.mode, turn.at, since, cause)
    return replace(state, mode=turn.mode, stop=stop, alerts=held, people=said_of), [*changes, *rows, *told]


def _charge(state: LineState, until: int, cause: Cause) -> Step:
    assert state.kpi is not None
    held = Held(state.mode, state.target_rate, state.rate)
    running = until - state.kpi.charged if state.mode == "running" else 0
    windows, closed = kpi.charge(state.kpi, until, state.clock or until, held, cause)
    noted = alerts.on_running_time(state.alerts, running, state.rate, 0) if running > 0 else state.alerts
    return replace(state, kpi=windows, alerts=noted), _rows(closed, cause)


def _hold(state: LineState, sample: Sample) -> LineState:
    target = sample.target_rate
    positive = target if target is not None and target > 0 else state.positive_target
    return replace(state, target_rate=target, positive_target=positive, rate=sample.rate)


def _count(state: LineState, sample: Sample, cause: Cause) -> Step:
    """Pieces into the running order, the window of the message's time, and the alerts."""
    assert state.clock is not None
    changes: list[Change] = []
    begins = state.orders.running is None
    after, number, rows = orders.on_sample(state.orders, sample, state.clock, state.positive_target, cause)
    state = replace(state, orders=after)
    if begins:
        state, closed = _cut(state, cause, number)
        changes += closed
    assert state.kpi is not None
    windows, revised = kpi.count(state.kpi, sample.at, sample.pieces, sample.defects, cause)
    state = replace(state, kpi=windows)
    changes += rows
    changes += _rows(revised, cause)
    if after.running is None:
        state, closed = _cut(state, cause)
        changes += closed
    if sample.late:
        return state, changes
    noted = alerts.on_running_time(state.alerts, 0, sample.rate, sample.pieces)
    noted, told = alerts.on_sample(noted, sample, cause)
    return replace(state, alerts=noted), [*changes, *told]


def _recount(state: LineState, message: Order, cause: Cause) -> Step:
    """Defects found later, or taken back, in the window of the time that they belong to."""
    if state.kpi is None or state.clock is None or not message.defects:
        return state, []
    at = event_time(message.at, cause.rules.time_zone, "at")
    if at is None:
        done = orders.done_at(state.orders, message.order_number)
        at = state.clock if done is None else done - 1  # the last moment of its last window
    at = min(at, state.clock)
    windows, revised = kpi.count(state.kpi, at, 0, message.defects, cause)
    return replace(state, kpi=windows), _rows(revised, cause)


def _cut(state: LineState, cause: Cause, order_number: str | None = None) -> Step:
    assert state.kpi is not None
    windows, closed = kpi.cut(state.kpi, order_number, cause)
    return replace(state, kpi=windows), _rows(closed, cause)


def _published(state: LineState, changes: list[Change], cause: Cause) -> Step:
    if state.kpi is not None:
        windows, published = kpi.publish(state.kpi, cause)
        state = replace(state, kpi=windows)
        changes = [*changes, *_rows(published, cause)]
    return state, changes


def _rows(windows: Iterable[Window], cause: Cause) -> list[Change]:
    return [kpi.row(window, cause) for window in windows]

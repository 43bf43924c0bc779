"""The fold: a line's state and its next record give the line's next state and the rows that change.

Pure: no clock, no random number, no environment. The same records and rules give the same rows, whatever
the batches that they come in.
"""

from msgspec.structs import replace

from plant.calendar import Calendars
from plant.mapping import read_data, read_status
from plant.rules import Rules, display_name
from plant.timestamps import event_time
from rules import alerts, clock_belief, counters, counting, line_clock, orders, removal, samples
from rules.dead_letters import dead_letter
from rules.failures import Failure, Observer, internal, raised
from rules.kpi import kpi_row, line_kpi
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from rules.stops import lifecycle, operator, planned, restart, state_change
from rules.stops.lifecycle import StateChange
from schemas.errors import Poison
from schemas.instant import HOUR, SECOND
from schemas.operator_message import OperatorMessage, parse_operator_message
from schemas.payloads import Data, Order, Status, parse_order
from schemas.raw import DATA, ORDER, OVERSIZE, STATUS, TICK, RawRecord
from schemas.state import LineState, Mode

Step = tuple[LineState, list[RowUpdate]]
TICKS_TOLD = HOUR  # of log time: a line whose ticks fail leaves a dead letter at most so often
QUIET = 30 * SECOND  # a line that speaks more often shows its windows itself


class Fold:
    """The rules of one generation, applied to one line's records in the order of the log.

    A record on which a rule fails is a dead letter, `internal`, and the line is as if it had not come.
    """

    def __init__(self, rules: Rules, failed: Observer = raised) -> None:
        """`failed` is told of such records; it changes nothing."""
        self._failed = failed
        self.rules = rules
        self.calendars = Calendars(rules)

    def __call__(
        self, state: LineState | None, record: RawRecord, topic: str
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """Apply a record of the line (or a tick) to the line's state.

        Args:
            state: the line before the record; None if it was never heard.
            record: the line's next record.
            topic: the raw log's name, for dead letters.
        Returns:
            The line after it, and the rows that change; of a row, the last change counts.
        """
        received_at, run = record.received_at, record.headers.run
        if state is not None and state.received_at > received_at:
            received_at = state.received_at
        assert state is not None or record.line_id is not None
        line_id = state.line_id if state is not None else record.line_id or ""
        line_rules = self.rules.line(line_id, received_at)
        context = RecordContext(
            self.rules,
            line_rules,
            self.calendars.of(line_id),
            line_id,
            line_rules.name or display_name(line_id),
            record.partition,
            record.offset,
            received_at,
        )
        applied: LineState | None
        try:
            if record.headers.kind is not TICK:
                applied, changes = self._message(state, record, topic, context)
            elif state is not None:
                applied, changes = on_tick(state.copy(), context)
            else:
                return None, []
        except Exception as error:  # whatever it is: the lines of a plant don't stand still for one record
            applied, changes = self._without(state, record, topic, context, error)
        if applied is None:
            return None, changes
        after = applied
        after.offset, after.received_at = record.offset, received_at
        after.run = max(after.run, run)
        return after, changes

    def _without(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext, error: Exception
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """As if the record had not come, but for its dead letter; of ticks, one an hour."""
        letter = dead_letter(record, internal(error), topic, context)
        self._failed(Failure(context.line_id, record.partition, record.offset, error))
        if state is None:
            return None, [letter]
        after = state.copy()
        if record.headers.kind is TICK:
            if after.failed_at and context.received_at - after.failed_at < TICKS_TOLD:
                return after, []
            after.failed_at = context.received_at
        return after, [letter]

    def let_go(self, state: LineState, record: RawRecord, topic: str) -> list[RowUpdate]:
        """The rows that end what is open on a line that is silent for long, and known no more after that."""
        received_at = max(state.received_at, record.received_at)
        line_rules = self.rules.line(state.line_id, received_at)
        context = RecordContext(
            self.rules,
            line_rules,
            self.calendars.of(state.line_id),
            state.line_id,
            line_rules.name or display_name(state.line_id),
            record.partition,
            record.offset,
            received_at,
        )
        try:
            return removal.let_go(state.copy(), context)
        except Exception as error:
            return self._without(state, record, topic, context, error)[1]

    def _message(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext
    ) -> tuple[LineState | None, list[RowUpdate]]:
        draft = state.copy() if state else LineState(line_id=context.line_id, partition=record.partition)
        try:
            return _on_message(draft, record, context, heard_before=state is not None)
        except counters.Restarted as restarted:
            letter = dead_letter(record, restarted, topic, context)
            before = state or LineState(line_id=context.line_id, partition=record.partition)
            return _heard((replace(before, counters=restarted.counters), [letter]), context)
        except clock_belief.TooOld as too_old:
            letter = dead_letter(record, too_old, topic, context)
            before = state or LineState(line_id=context.line_id, partition=record.partition)
            return _heard((replace(before, belief=too_old.belief), [letter]), context)
        except Poison as poison:
            letter = dead_letter(record, poison, topic, context)
            if state is None or _by_people(record):
                return state and state.copy(), [letter]
            # The machine speaks, if only nonsense: that is not silence.
            return _heard((state.copy(), [letter]), context)


def _heard(step: Step, context: RecordContext) -> Step:
    """The machine itself has spoken."""
    state, changes = step
    state.heard_at = context.received_at
    return state, changes


def _by_people(record: RawRecord) -> bool:
    """Whether people speak of the line, and not its machine: that does not end its silence."""
    kind = record.headers.kind
    return kind is ORDER or (kind is STATUS and b'"action"' in record.payload)


def _on_message(state: LineState, record: RawRecord, context: RecordContext, *, heard_before: bool) -> Step:
    headers, zone = record.headers, context.line_rules.time_zone
    near = context.received_at if state.clock is None else state.clock
    kind = headers.kind
    if kind is OVERSIZE:
        raise Poison("oversize", length=headers.length)
    if headers.retain and (kind is not STATUS or state.heard_at):  # an order that waits is no word of it
        raise Poison("retained")
    if kind is DATA:
        data = read_data(record.payload, context.line_rules)
        at = event_time(data.timestamp, zone, near=near)
        return _heard(on_data(state, data, at, context, waited=headers.backlog), context)
    if kind is STATUS:
        said = parse_operator_message(record.payload)
        if said is not None:
            return on_operator_message(state, said, heard_before, context)
        status = read_status(record.payload, context.line_rules)
        if status.status == "online":
            return state, []  # its gateway's word: it changes nothing, and ends no silence of the machine
        at = event_time(status.timestamp, zone, near=near)
        if headers.retain and at is not None and at < context.received_at - context.line_rules.past:
            at = None  # it holds still, however long ago it was said
        waited = headers.backlog or headers.retain
        return _heard(on_status(state, status, at, context, waited=waited), context)
    order = parse_order(record.payload)
    return on_order(state, order, event_time(order.timestamp, zone, near=near), context)


def on_data(
    state: LineState, data: Data, told: int | None, context: RecordContext, *, waited: bool = False
) -> Step:
    """A data message: count it, and if it is not late, let the line be what it says."""
    before = state.kpi
    state, at, changes = _on_time(state, told, context, waited=waited)
    # What waited somewhere without a right time of its own: nobody knows when it was made.
    known = at == told or not waited
    context = context.at(at)
    late = state.clock is not None and at < state.clock
    state, data = counters.increments(state, data, at, late, context)
    if state.stop is not None and not late and restart.is_held(state.stop):
        state, ended = restart.on_data(state, data, at, context)
        changes += ended
    sample = samples.decide(state, data, at, late, known, context)
    if not late:
        state, turned = state_change.take(state, StateChange(sample.mode, at), context)
        changes += turned
        _hold(state, sample)
        if state.stop is not None:
            state, overdue = state_change.overdue(state, at, context)
            changes += overdue
    state, counted = counting.count(state, sample, context)
    changes += counted
    changes.append(samples.row(sample, context))
    return kpi_row.published(before, state, changes, context)


def on_status(
    state: LineState, status: Status, told: int | None, context: RecordContext, *, waited: bool = False
) -> Step:
    """A status message: running, stopped, or offline."""
    before = state.kpi
    state, at, changes = _on_time(state, told, context, waited=waited)
    context = context.at(at)
    if state.clock is not None and at < state.clock:
        if status.status == "stopped" and status.reason is not None:
            state, rows = operator.on_late_reason(state, at, status.reason, context)
            changes += rows
        elif status.status == "running":
            state, rows = restart.on_late_running(state, at, context)
            changes += rows
        return kpi_row.published(before, state, changes, context)
    if status.status == "offline" and state.clock is not None:
        # Often a will, told long after the last message: the line's own past may still come.
        state, turned = state_change.fall_silent(state, at, status.reason or lifecycle.OFFLINE, context)
        return state, [*changes, *turned]
    mode: Mode = "running" if status.status == "running" else "stopped"
    if status.status == "offline":
        mode = state.mode
    state, turned = state_change.take(state, StateChange(mode, at, status.reason), context)
    if status.status == "stopped":
        restart.told(state, at)
    return kpi_row.published(before, state, changes + turned, context)


def on_order(state: LineState, message: Order, told: int | None, context: RecordContext) -> Step:
    """An order is planned, closed or cancelled: a window ends where the running order does."""
    before = state.kpi
    at = line_clock.of_order(told, context.received_at, state.clock, context.line_rules)
    if message.action != "add" and told is None and state.clock is not None:
        # By the line's clock, or its stop would end before or after its order does.
        at = line_clock.of_line(context.received_at, state.clock, state.heard_at)
    after, rows = orders.on_message(state.orders, message, at, context)
    changes: list[RowUpdate] = [*rows]
    ended = state.orders.running is not None and after.running is None
    state = replace(state, orders=after)
    if rows and message.action == "correct":
        counting.recount(state, message, context)
    if ended and state.kpi is not None:
        stands = state.mode == "stopped" and at > state.kpi.charged
        # Of a line that runs, what it makes after its last message is the next order's, and so is the time.
        after_it = line_kpi.ends(state.kpi, at) if stands else line_kpi.cut(state.kpi, None, None, context)
        state = replace(state, kpi=after_it)
    return kpi_row.published(before, state, changes, context)


def on_operator_message(
    state: LineState, said: OperatorMessage, heard_before: bool, context: RecordContext
) -> Step:
    """A person's message about stops, or the end of the line; the machine itself said nothing."""
    before = state.kpi
    if said.action in ("retire", "forget") and not heard_before:
        raise Poison("unknown_line")
    if said.action == "retire":
        state, changes = removal.retire(state, context)
    elif said.action == "forget":
        return removal.forget(state, context)
    else:
        # What is forgotten is not taken back: what it made planned stays so.
        now = context.received_at
        judged = now if state.retired or state.clock is None else state.clock
        state.people = planned.forgotten(state.people, state.stop, now, judged)
        was = state.people.planned
        state, changes = operator.on_operator_message(state, said, context)
        if state.people.planned != was:
            state, replanned = state_change.replanned(state, was, state.people.planned, context)
            changes = [*changes, *replanned]
    return kpi_row.published(before, state, changes, context)


def on_tick(state: LineState, context: RecordContext) -> Step:
    """Time passes: a running line may have fallen silent, and what its last word means is shown meanwhile."""
    now = context.received_at
    listening = now - state.ticked_at <= line_clock.TICKS_MISSING
    state.ticked_at = now
    since = state.ticking_since = state.ticking_since if listening else now
    if state.clock is None or state.kpi is None or state.retired:
        return state, []
    silence = context.line_rules.silence
    windows, told_at, until = state.kpi, state.clock, state.clock + now - state.heard_at
    changes: list[RowUpdate] = []
    quiet = now - max(state.heard_at, since)
    if quiet > silence:
        # Nobody listened when the line fell silent: it may not be the line's fault.
        reason = lifecycle.PIPELINE if since > state.heard_at + silence else None
        state, changes = state_change.fall_silent(state, state.clock + silence, reason, context)
    elif quiet <= QUIET or not state_change.can_be_shown(state):
        return kpi_row.published(windows, state, [], context)
    state, overdue = state_change.overdue(state, until, context)
    state, changes = kpi_row.published(windows, state, [*changes, *overdue], context)
    passed = state_change.passed(state, until, context)
    state.kpi, told = line_kpi.shown(state.kpi or windows, passed, told_at, context)
    return state, [*changes, *(kpi_row.row(window, context) for window in told)]


def _on_time(
    state: LineState, told: int | None, context: RecordContext, *, waited: bool
) -> tuple[LineState, int, list[RowUpdate]]:
    """The message's event time; the line is flagged while the clock of a machine of it can't be believed."""
    now, rules = context.received_at, context.line_rules
    if told is None:
        return state, line_clock.arrival(now, state.clock), []
    flagged = state.belief is not None or "CLOCK_SKEW" in state.alerts.held
    if not flagged and line_clock.is_usual(told, now, state.clock, rules):
        return state, told, []
    judged = clock_belief.judge(state.belief, told, now, state.clock, rules, waited=waited)
    state.belief = judged.belief
    right = judged.belief is None or not judged.belief.count
    state.alerts, changes = alerts.on_clock(state.alerts, judged.at, judged.off, judged.since, right, context)
    return state, judged.at, changes


def _hold(state: LineState, sample: Sample) -> None:
    """From its message on, and until its next, the line is what the message says.

    A rate told of a line that stands is none of running: what it told while it ran holds when it runs again.
    """
    state.clock = sample.at
    if sample.mode != "stopped":
        state.rate = sample.rate
    elif sample.target_rate is None or sample.target_rate <= 0:
        return  # nor is a target that is none
    state.target_rate, state.ruled = sample.target_rate, sample.ruled
    if sample.target_rate is not None and sample.target_rate > 0:
        state.positive_target = sample.target_rate
